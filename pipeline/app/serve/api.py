"""The page's API: answers side by side, a class of one's own, the committed results."""

import base64
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from fastapi import Cookie, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pipeline.app import taught
from pipeline.app.serve import published, reference, visitors
from pipeline.app.serve.comparison import About, Answers, Comparison
from pipeline.app.serve.limits import Limits, Queue
from pipeline.app.serve.published import Question
from pipeline.app.serve.visitors import Visitor, Visitors
from pipeline.app.taught import Figures, Kept, Taught
from pipeline.core import process
from pipeline.core.errors import InputError
from pipeline.core.params import Seed
from pipeline.learning.compute import Compute
from pipeline.techniques.statistics.new_row import NewRow

PAGE = Path(__file__).parent / "page"
HEADERS = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
]
"""Of every answer: the page takes nothing from elsewhere, and is in no frame."""
HOSTS = ["127.0.0.1", "localhost", "[::1]"]
"""Names that the server answers to, so that no other site's name can be led here."""
THUMBNAIL = 64

Name = Annotated[str | None, Cookie(alias=visitors.COOKIE)]


class Named(BaseModel):
    """The name of a class of one's own."""

    name: str


class Class(BaseModel):
    """A class of one's own, and what it was measured to cost."""

    name: str
    figures: Figures


class State(BaseModel):
    """What a visitor has: examples as PNG in data URLs, and the class once it is taught."""

    examples: list[str]
    most: int = visitors.EXAMPLES
    taught: Class | None


class Seen(BaseModel):
    """The answers for a picture, and what the models see of it, as PNG in a data URL."""

    seen: str
    answers: Answers


def application(seed: Seed, compute: Compute, methods: list[str], new_row: NewRow) -> FastAPI:
    """Loads what a finished run left, and makes the application that shows it."""
    compute.start(threads=1)  # pictures come one by one, and several requests at once
    import_module("torch._dynamo")  # takes a second, and the first who teaches would wait
    comparison = Comparison(methods)
    teach = partial(taught.teach, comparison.base, kept=Kept.load(), settings=new_row, seed=seed)
    return build(comparison, teach, process.cores())


def build(comparison: Comparison, learn: Callable[..., Taught], threads: int) -> FastAPI:
    """Makes the application.

    Args:
        comparison: the models.
        learn: learns a class from pictures and a name.
        threads: that work for all requests.
    """
    queue = Queue(threads)
    known = Visitors()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        queue.close()

    app = FastAPI(title="Retain", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(Limits)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)

    @app.exception_handler(InputError)
    async def refused(_: Request, error: InputError) -> Response:
        return JSONResponse({"detail": str(error)}, 422)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return JSONResponse({"detail": f"{place}: {first['msg'].lower()}"}, 422)

    @app.get("/api/about")
    async def about() -> About:
        """What is compared."""
        return comparison.about

    @app.post("/api/answers", openapi_extra=reference.PICTURE)
    async def answers(
        request: Request,
        method: str,
        strength: Annotated[float | None, Query(ge=0, le=2)] = None,
        visitor: Name = None,
    ) -> Seen:
        """What the base, a method and the visitor's own class say of a picture (the body)."""
        content, own = await request.body(), known.find(visitor).taught

        def work() -> Seen:
            image = comparison.prepare(content)
            return Seen(
                seen=thumbnail(image), answers=comparison.answers(image, method, strength, own)
            )

        return await queue.do(work)

    @app.get("/api/teaching")
    async def teaching(visitor: Name = None) -> State:
        """The visitor's examples, and the class that was taught."""
        return state(known.find(visitor))

    @app.post("/api/teaching/examples", openapi_extra=reference.PICTURE)
    async def example(request: Request, response: Response, visitor: Name = None) -> State:
        """Adds a picture (the body) to the examples."""
        image = await queue.do(comparison.prepare, await request.body())
        found = welcome(response, visitor)
        if len(found.examples) >= visitors.EXAMPLES:
            raise HTTPException(
                409, f"there are {visitors.EXAMPLES} examples, the most that are used"
            )
        found.examples.append(image)
        return state(found)

    @app.delete("/api/teaching/examples/{place}")
    async def without(place: int, visitor: Name = None) -> State:
        """Takes an example out."""
        found = known.find(visitor)
        if place not in range(len(found.examples)):
            raise HTTPException(404, "there is no such example")
        del found.examples[place]
        return state(found)

    @app.post("/api/teaching/class")
    async def teach(given: Named, visitor: Name = None) -> State:
        """Learns the class from the examples."""
        found = known.find(visitor)
        if not found.examples:
            raise HTTPException(409, "there is no example yet: draw or choose one")
        found.taught = await queue.do(learn, list(found.examples), given.name)
        return state(found)

    @app.put("/api/teaching/class", openapi_extra=reference.FILE)
    async def load(request: Request, response: Response, visitor: Name = None) -> State:
        """Takes a class from a file (the body) that was downloaded before."""
        loaded = await queue.do(Taught.from_bytes, await request.body(), comparison.base)
        found = welcome(response, visitor)
        found.taught = loaded
        return state(found)

    @app.delete("/api/teaching/class")
    async def take_back(visitor: Name = None) -> State:
        """Takes the class back: what is left is the base, whose weights were never touched."""
        found = known.find(visitor)
        found.taught = None
        return state(found)

    @app.get("/api/teaching/file", response_class=Response)
    async def file(visitor: Name = None) -> Response:
        """The class as a safetensors file."""
        own = known.find(visitor).taught
        if own is None:
            raise HTTPException(404, "no class has been taught yet")
        shown = f"attachment; filename*=UTF-8''{quote(own.name, safe='')}.safetensors"
        return Response(
            own.to_bytes(),
            media_type="application/octet-stream",
            headers={"content-disposition": shown},
        )

    @app.get("/api/results")
    async def results() -> list[Question]:
        """The tables and pictures of the questions."""
        return await queue.do(published.questions)

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs() -> str:
        return reference.page(app.openapi())

    def welcome(response: Response, visitor: str | None) -> Visitor:
        name, found = known.welcome(visitor)
        if name != visitor:
            response.set_cookie(visitors.COOKIE, name, httponly=True, samesite="strict")
        return found

    app.mount("/plots", StaticFiles(directory=published.PLOTS))
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def state(visitor: Visitor) -> State:
    """A visitor's state as the page shows it."""
    own = visitor.taught
    return State(
        examples=[thumbnail(image) for image in visitor.examples],
        taught=Class(name=own.name, figures=own.figures) if own else None,
    )


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """An image `(channels, size, size)`, of 64 pixels a side at most, as a data URL."""
    small = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    content = io.BytesIO()
    small.save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
