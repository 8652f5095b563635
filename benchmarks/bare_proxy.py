"""A proxy by aiohttp that copies bytes and knows nothing: the floor for one in Python."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, TCPConnector, web


async def serve(port: int) -> None:
    async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            url = f"http://127.0.0.1:{port}{request.path}"
            async with session.post(url, data=body) as reply:
                if "Content-Length" in reply.headers:
                    kind = reply.headers["Content-Type"]
                    return web.Response(body=await reply.read(), headers={"Content-Type": kind})
                answer = web.StreamResponse(headers={"Content-Type": reply.headers["Content-Type"]})
                await answer.prepare(request)
                async for data in reply.content.iter_any():
                    await answer.write(data)
                await answer.write_eof()
                return answer

        app = web.Application()
        app.router.add_post("/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(f"http://127.0.0.1:{site.port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
