"""Files through real webapps: Slack's own SDK uploads them, unmodified; a webapp dies in the middle of an upload."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from ops.local.spec import counts
from tests.mesh.node_clients import node_client
from tests.mesh.people import Json
from tests.mesh.test_slack_sdk import web
from tests.mesh.towns import Town, town

pytestmark = [pytest.mark.mesh, pytest.mark.asyncio(loop_scope="session")]

DATA = os.urandom(1_500_000)
PATIENCE_S = 30.0


async def download(there: Town, name: str, url: str) -> bytes:
    """Get a file's bytes with somebody's token, as bots do."""
    async with there.http.get(url, headers={"Authorization": f"Bearer {there[name].token}"}) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def test_the_sdk_uploads_a_file_and_others_get_it(shared: Town, tmp_path: Path) -> None:
    """files_upload_v2 with text, bytes, a path, and several at once; events on an open socket; the same bytes."""
    (tmp_path / "a report.pdf").write_bytes(DATA)

    def upload() -> list[Json]:
        client = web(shared, "ada")
        one = client.files_upload_v2(
            channel=shared.general, content="a text & <more>", filename="a.txt", title="A text"
        )
        path = client.files_upload_v2(
            channel=shared.general, file=str(tmp_path / "a report.pdf"), initial_comment="by path", title="Report"
        )
        several = client.files_upload_v2(
            channel=shared.general,
            file_uploads=[{"content": "x=1", "filename": "a.py"}, {"file": DATA, "filename": "b.bin", "title": "B"}],
            initial_comment="several",
        )
        return [one["file"], path["file"], *several["files"]]

    async with shared["grace"].connected() as socket:
        files = await asyncio.to_thread(upload)
        event = await socket.wait_for(lambda each: each.get("text") == "several")
        assert (event["subtype"], event["upload"]) == ("file_share", True)
        assert [file["id"] for file in event["files"]] == [file["id"] for file in files[2:]]
        told = await socket.wait_for(
            lambda each: each.get("type") == "file_shared" and each["file_id"] == files[3]["id"]
        )
        assert told["channel_id"] == shared.general
    assert [files[place]["title"] for place in (0, 1, 3)] == ["A text", "Report", "B"]
    expected = [b"a text & <more>", DATA, b"x=1", DATA]
    for file, data in zip(files, expected, strict=True):
        assert await download(shared, "grace", file["url_private"]) == data
        assert await download(shared, "helper", file["url_private_download"]) == data


async def test_the_async_sdk_and_the_bot_upload_too(shared: Town) -> None:
    """As octets, by a bot; then info, list and delete."""
    client = AsyncWebClient(token=shared["helper"].token, base_url=f"{shared.mesh.web_url}/api/")
    done = await client.files_upload_v2(channel=shared.general, file=DATA, filename="data.bin")
    file_id = done["file"]["id"]
    info = await client.files_info(file=file_id)
    assert info["file"]["shares"]["public"][shared.general]
    listed = await client.files_list(channel=shared.general, user=shared["helper"].user_id)
    assert listed["files"][0]["id"] == file_id
    assert await download(shared, "ada", info["file"]["url_private"]) == DATA
    await client.files_delete(file=file_id)
    history = await client.conversations_history(channel=shared.general, limit=1)
    assert history["messages"][0]["files"] == [{"id": file_id, "mode": "tombstone"}]


@pytest.mark.parametrize("package", ["slack-web-api-6", "slack-web-api-7", "slack-web-api-8"])
async def test_nodes_client_uploads_a_form_with_its_token(shared: Town, tmp_path: Path, package: str) -> None:
    """The new way, and by versions that have it the old one: each a multipart form."""
    file = tmp_path / "data.bin"
    file.write_bytes(DATA)
    ways = ["files.uploadV2", *(["files.upload"] if package == "slack-web-api-6" else [])]
    async with node_client("web", package, shared.mesh.web_url, token=shared["ada"].token) as ada:
        for way in ways:
            comment = f"{way} by {package}"
            where = {"channel_id": shared.general} if way == "files.uploadV2" else {"channels": shared.general}
            said = {"initial_comment": comment, "filename": "data.bin", "title": "t", **where}
            given = {"file": str(file)} if way == "files.uploadV2" else {"content": "text"}
            await ada.call(way, **said, **given)
            history = await shared["grace"].ok("conversations.history", channel=shared.general, limit="1")
            [found] = history["messages"][0]["files"]
            assert (history["messages"][0]["text"], found["title"]) == (comment, "t")
            expected = DATA if way == "files.uploadV2" else b"text"
            assert await download(shared, "grace", found["url_private"]) == expected


def files_of(there: Town, file_id: str) -> list[Path]:
    """Return whatever lies in the folder of that file."""
    return list((there.mesh.spec.var / "files").rglob(f"*{file_id}*"))


async def until(there: Town, file_id: str, count: int) -> None:
    """Return once so many files of that id lie in the folder."""
    async with asyncio.timeout(PATIENCE_S):
        while len(files_of(there, file_id)) != count:
            await asyncio.sleep(0.02)


async def test_two_webapps_share_files_and_one_dies_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    """What one promises is uploaded to the other and completed by either; killed, it leaves nothing, a retry works."""
    quick = {"webapp": {"PARLEY_WEBAPP_FILES_SWEEP_S": "0.5"}}
    async with town(tmp_path, counts=counts(webapp=2, gateway=1, channel=1, edge=0), tier_environ=quick) as there:
        one, two = there.mesh.web_urls.values()
        first, second = (WebClient(token=there["ada"].token, base_url=f"{url}/api/") for url in (one, two))

        def promise() -> tuple[str, str]:
            answer = first.files_getUploadURLExternal(filename="data.bin", length=len(DATA))
            return str(answer["file_id"]), str(answer["upload_url"])

        file_id, url = await asyncio.to_thread(promise)
        async with there.http.post(url.replace(one, two), data=DATA) as answer:
            assert (answer.status, await answer.text()) == (200, f"OK - {len(DATA)}")
        done = await asyncio.to_thread(
            lambda: first.files_completeUploadExternal(files=[{"id": file_id, "title": "t"}], channel_id=there.general)
        )
        link = done["files"][0]["url_private"]
        assert await download(there, "grace", link) == DATA
        assert await download(there, "grace", link.replace(one, two)) == DATA

        file_id, url = await asyncio.to_thread(promise)

        async def half() -> AsyncIterator[bytes]:
            yield DATA[:1_000_000]
            await asyncio.Event().wait()

        async with aiohttp.ClientSession() as http:
            upload = asyncio.create_task(http.post(url, data=half()))
            await until(there, file_id, 1)
            await there.mesh.kill(next(iter(there.mesh.web_urls)))
            await asyncio.wait({upload})
            assert isinstance(upload.exception(), aiohttp.ClientError)
        await until(there, file_id, 0)
        async with there.http.post(url.replace(one, two), data=DATA) as answer:
            assert answer.status == 200, await answer.text()
        await asyncio.to_thread(
            lambda: second.files_completeUploadExternal(files=[{"id": file_id, "title": "t"}], channel_id=there.general)
        )
        info = await asyncio.to_thread(lambda: second.files_info(file=file_id))
        assert await download(there, "grace", info["file"]["url_private"]) == DATA
        assert [path.name for path in files_of(there, file_id)] == [file_id]
