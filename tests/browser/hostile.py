"""Texts that would run somewhere, were they taken for more than text. Sources: OWASP's filter evasion cheat sheet; the
mutations of markup that sanitizers were beaten with; Unicode's bidirectional controls.

`RUN` is the canary: whichever of them runs sets `window.__ran`, which fails the test that shows it.
"""

from __future__ import annotations

RUN = "window.__ran=1"

MARKUP = (
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT >",
    f"<script/src=data:text/javascript,{RUN}></script>",
    f"<img src=x onerror={RUN}>",
    f"<img src='x' onerror='{RUN}' //",
    f'<img """><script>{RUN}</script>">',
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></mglyph></table></mtext></math>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<style><style/><img src=x onerror={RUN}>",
    f"<iframe src=javascript:{RUN}></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data='javascript:{RUN}'></object>",
    f"<embed src=javascript:{RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<input autofocus onfocus={RUN}>",
    f"<body onload={RUN}>",
    f"<form action=javascript:{RUN}><button>x</button></form>",
    f"<base href='javascript:{RUN}//'>",
    f"<link rel=stylesheet href='data:text/css,*{{}}' onload={RUN}>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    "<style>body{display:none}</style>",
    f"<template><script>{RUN}</script></template>",
    f"<a href=javascript:{RUN}>x</a>",
    f'"><script>{RUN}</script>',
    f"'-({RUN})-'",
    f"</textarea><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"${{{RUN}}} {{{{constructor.constructor('{RUN}')()}}}}",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"<!--><script>{RUN}</script>-->",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"＜script＞{RUN}＜/script＞",
    f"<scr\0ipt>{RUN}</scr\0ipt>",
)
"""As people type them."""

LINKS = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f" javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"javascript&colon;{RUN}",
    f"javascript://example.org/%0A{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuX19yYW49MTwvc2NyaXB0Pg==",
    f"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>",
    f"vbscript:{RUN}",
    "file:///etc/passwd",
    "blob:https://example.org/1",
    f"view-source:javascript:{RUN}",
    f'https://example.org/" onclick="{RUN}',
    f"https://example.org/' onmouseover='{RUN}",
    "https://example.org:80@evil.example/",
)
"""Where a link or a picture may want to go."""

SHAPES = ("<{}>", "<{}|click here>", "<!here|{}>", "<@{}>", "<#{}|x>", "<!date^0^{{date}}^{}|x>", "*<{}|bold>*", "`{}`")
"""What Slack's text may wrap it in."""

ODD = (
    "\u202e\u2066evil\u2069 gnp.exe",
    "\u202dright to left \u202eoverride",
    "a" + "\u0301" * 300,
    "zero\u200bwidth\u200djoined\ufeff",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 40,
    "𝕳𝖊𝖑𝖑𝖔 ﷽ Ω≈ç√∫ 田中さん ﺍﻟﻌﺮﺑﻴﺔ",
    "W" * 3_000,
    "*" * 500 + "_" * 500 + "`" * 500,
    ">" * 400 + "deep",
    "```" * 200,
    "<" * 1_000,
    ":" * 999,
    "<@U00000000> <#C00000000> <!subteam^S00000000> <!everyone>",
    "__proto__ constructor toString hasOwnProperty",
)
"""What confuses rather than runs: reversed, piled up, nested, very long."""


def escaped(text: str) -> str:
    """Return a text as a client sends what a person typed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
