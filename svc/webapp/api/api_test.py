"""api.test: says back what it was told."""

from __future__ import annotations

from svc.webapp.api.arguments import Arg
from svc.webapp.api.call import Answer, Call, Method
from svc.webapp.domain.refusal import Refused


async def test(call: Call) -> Answer:
    """Echo every argument but the token; fail with `error` when one is given."""
    echo = {name: value for name, value in call.args.raw.items() if name != "token"}
    error = call.args.text("error")
    if error:
        raise Refused(error, {"args": echo})
    return {"args": echo}


METHODS = (Method("api.test", test, (Arg("error"),), is_public=True),)
