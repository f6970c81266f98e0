"""files.*: what is uploaded, where it is posted, and who sees it."""

from __future__ import annotations

from svc.webapp.api import pages
from svc.webapp.api.arguments import Arg, Kind
from svc.webapp.api.call import CURSOR, Answer, Call, Method, Tier
from svc.webapp.domain.files.seeing import FileQuestion
from svc.webapp.domain.files.shape import file_object
from svc.webapp.domain.files.uploading import Completion
from svc.webapp.domain.refusal import Refused

READ = ("files:read",)
WRITE = ("files:write", "files:write:user")
"""The second is the classic family's name."""

LIST_MAX = 1_000


async def get_upload_url(call: Call) -> Answer:
    """Promise a file, and say where its bytes go."""
    args, files = call.args, call.services.files
    file = await files.reserve(
        call.caller,
        args.text("filename"),
        args.number("length"),
        alt_text=args.text("alt_txt"),
        snippet_type=args.text("snippet_type"),
    )
    return {"upload_url": files.upload_url(file, call.origin.base_url), "file_id": file.id}


async def complete(call: Call) -> Answer:
    """Let uploaded files be seen, and post them where they are wanted."""
    args = call.args
    entries = [_entry(each) for each in args.array("files")]
    titles = {file_id: title for file_id, title, _ in entries}
    channels = dict.fromkeys((*filter(None, (args.text("channel_id").strip(),)), *args.names("channels")))
    wanted = Completion(
        titles,
        tuple(channels),
        comment=args.text("initial_comment"),
        thread_ts_us=args.stamp("thread_ts") or 0,
        blocks=args.array("blocks"),
        highlights={file_id: highlight for file_id, _, highlight in entries},
    )
    return {"files": await call.services.files.complete(call.caller, wanted, call.origin.base_url)}


def _entry(entry: object) -> tuple[str, str, str]:
    """Return a file's id, its title and what it is written in; "" for what is not said."""
    fields = [entry.get(name) for name in ("id", "title", "highlight_type")] if isinstance(entry, dict) else [None]
    if not isinstance(fields[0], str) or not all(isinstance(each, str | None) for each in fields):
        message = "[ERROR] each entry must be an object with an id, and a title or none [json-pointer:/files]"
        raise Refused("invalid_arguments", {"response_metadata": {"messages": [message]}})
    return fields[0], str(fields[1] or ""), str(fields[2] or "")


async def upload(call: Call) -> Answer:
    """Upload, and post, in one call: text in `content`, or a file in a multipart form.

    The file of a form is kept before its other fields are known to be right (api.file_routes), and comes as `upload`.
    """
    args, files = call.args, call.services.files
    file_id, name = args.text("upload"), args.text("filename")
    if not file_id:
        if not args.has("content"):
            raise Refused("no_file_data")
        data = args.text("content").encode()
        kept = await files.keep(call.caller, name or args.text("title"), data, snippet_type=args.text("filetype"))
        file_id = kept.id
    wanted = Completion(
        {file_id: args.text("title")},
        args.names("channels"),
        comment=args.text("initial_comment"),
        thread_ts_us=args.stamp("thread_ts") or 0,
    )
    return {"file": (await files.complete(call.caller, wanted, call.origin.base_url))[0]}


async def info(call: Call) -> Answer:
    """Describe a file; of a snippet, also its text. Nobody comments on files any more, here or at Slack."""
    files = call.services.files
    file, shares = await files.seen.file(call.caller, call.args.text("file"))
    shape = file_object(file, call.origin.base_url, shares)
    answer: Answer = {"file": shape, "comments": [], "response_metadata": pages.metadata("file", "")}
    if shape["mode"] == "snippet":
        content, is_whole = await files.text_of(file)
        answer |= {"content": content, "is_truncated": not is_whole}
    return answer


async def list_files(call: Call) -> Answer:
    """List what the caller sees, newest first: by page number, or by cursor."""
    args = call.args
    count = args.number("limit") if args.has("cursor") or _is_given(call, "limit") else args.number("count")
    page = args.number("page")
    wanted = FileQuestion(
        channel_id=args.text("channel"),
        user_id=args.text("user"),
        types=args.names("types"),
        from_s=-(-(args.stamp("ts_from") or 0) // 1_000_000),
        to_s=(args.stamp("ts_to") or 0) // 1_000_000,
    )
    before = pages.key_of("file", args.text("cursor"))
    found = await call.services.files.seen.listed(
        call.caller, wanted, call.origin.base_url, count, page=page, before=before
    )
    last = f"{found.last[0]}.{found.last[1]}" if found.last else ""
    return {
        "files": found.files,
        "paging": {"count": count, "total": found.total, "page": page, "pages": max(1, -(-found.total // count))},
        "response_metadata": pages.metadata("file", last),
    }


def _is_given(call: Call, name: str) -> bool:
    return bool(call.args.raw.get(name))


async def delete(call: Call) -> Answer:
    """Delete a file for everybody."""
    await call.services.files.delete(call.caller, call.args.text("file"))
    return {}


FILE = Arg("file", required=True)
THREAD = Arg("thread_ts", Kind.STAMP)

METHODS = (
    Method(
        "files.getUploadURLExternal",
        get_upload_url,
        (
            Arg("filename", required=True),
            Arg("length", Kind.NUMBER, required=True),
            Arg("alt_txt"),
            Arg("snippet_type"),
        ),
        writes=True,
        scopes=WRITE,
        tier=Tier.T4,
    ),
    Method(
        "files.completeUploadExternal",
        complete,
        (
            Arg("files", Kind.ARRAY, required=True),
            Arg("channel_id"),
            Arg("channels", Kind.LIST),
            Arg("initial_comment"),
            THREAD,
            Arg("blocks", Kind.ARRAY, invalid="invalid_blocks_format"),
        ),
        writes=True,
        scopes=WRITE,
        tier=Tier.T4,
    ),
    Method(
        "files.upload",
        upload,
        (
            Arg("content", blank=True),
            Arg("upload"),
            Arg("filename"),
            Arg("filetype"),
            Arg("title"),
            Arg("channels", Kind.LIST),
            Arg("initial_comment"),
            THREAD,
        ),
        writes=True,
        oversize="file_upload_size_restricted",
        scopes=WRITE,
        tier=Tier.T2,
    ),
    Method("files.info", info, (FILE,), scopes=READ, tier=Tier.T4),
    Method(
        "files.list",
        list_files,
        (
            Arg("channel"),
            Arg("user"),
            Arg("types", Kind.LIST),
            Arg("ts_from", Kind.STAMP),
            Arg("ts_to", Kind.STAMP),
            Arg("count", Kind.NUMBER, default=100, minimum=1, maximum=LIST_MAX, clamp=True),
            Arg("limit", Kind.NUMBER, default=100, minimum=1, maximum=LIST_MAX, clamp=True),
            Arg("page", Kind.NUMBER, default=1, minimum=1, maximum=LIST_MAX, clamp=True),
            CURSOR,
        ),
        scopes=READ,
        tier=Tier.T3,
    ),
    Method("files.delete", delete, (FILE,), writes=True, scopes=WRITE, tier=Tier.T3),
)
