"""A visitor that checks every page it is given.

`Pages(client).get("/w/code")` returns a `Page`, or fails saying what is wrong with it;
`pages.submit(page.form(), email="a@b.nl")` sends a form as a browser would.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.html import Element, parse

REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
UNLABELLED = {"hidden", "submit", "button", "reset", "image"}


@dataclass(frozen=True, slots=True)
class Form:
    """A form and what a browser would send for it, untouched."""

    element: Element

    @property
    def action(self) -> str:
        return self.element.attrs["action"]

    @property
    def method(self) -> str:
        return self.element.attrs["method"].lower()

    @property
    def values(self) -> dict[str, str]:
        """Return the fields as they stand; an unticked box is not among them."""
        return dict(self._fields())

    def _fields(self) -> Iterator[tuple[str, str]]:
        for field in self.element.all("input", "textarea", "select"):
            name, kind = field.attrs.get("name", ""), field.attrs.get("type", "text")
            if not name or "disabled" in field.attrs or kind in {"submit", "button"}:
                continue
            if kind in {"checkbox", "radio"} and "checked" not in field.attrs:
                continue
            yield name, _value(field)


def _value(field: Element) -> str:
    if field.tag == "textarea":
        return "".join(child for child in field.children if isinstance(child, str))
    if field.tag == "select":
        options = field.all("option")
        chosen = [o for o in options if "selected" in o.attrs] or options
        return chosen[0].attrs.get("value", chosen[0].text) if chosen else ""
    is_box = field.attrs.get("type") in {"checkbox", "radio"}
    return field.attrs.get("value", "on" if is_box else "")


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of ours and, where it is HTML, what it says."""

    response: TestResponse
    root: Element

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def html(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def text(self) -> str:
        """Return what a person reads."""
        bodies = self.root.all("body")
        return (bodies[0] if bodies else self.root).text

    @property
    def h1(self) -> str:
        return self.root.one("h1").text

    @property
    def location(self) -> str:
        """Return where a redirect leads to, as a path of ours."""
        parts = urlsplit(self.response.headers["Location"])
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def form(self, part: str = "") -> Form:
        """Return the only form whose action holds `part`."""
        forms = [f for f in self.root.all("form") if part in f.attrs.get("action", "")]
        assert len(forms) == 1, f"{len(forms)} forms lead to {part!r}, not one"
        return Form(forms[0])

    def link(self, words: str) -> str:
        """Return where the only link with these words leads."""
        found = [a.attrs["href"] for a in self.root.all("a") if words in a.text]
        assert len(found) == 1, f"{len(found)} links say {words!r}, not one"
        return found[0]


class Pages:
    """Fetches pages and checks each of them."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, *, status: int = 200, **options: Any) -> Page:
        """Fetch a page."""
        return self._checked(self.client.get(path, **options), status)

    def post(self, path: str, *, status: int = 200, **options: Any) -> Page:
        """Send something: `data=` or `json=`."""
        return self._checked(self.client.post(path, **options), status)

    def submit(self, form: Form, *, status: int = 200, **values: str | None) -> Page:
        """Send a form as a browser would, with these fields filled in.

        Two underscores stand for a dot: `consent__newsletter="yes"`. None leaves a
        field out, as unticking it does.
        """
        filled = form.values | {k.replace("__", "."): v for k, v in values.items()}
        data = {name: value for name, value in filled.items() if value is not None}
        if form.method == "get":
            return self.get(form.action, status=status, query_string=data)
        return self.post(form.action, status=status, data=data)

    def follow(self, page: Page, *, status: int = 200) -> Page:
        """Go where a redirect leads."""
        return self.get(page.location, status=status)

    def every_row(self, path: str) -> Iterator[Element]:
        """Yield the rows of a long list, page by page, as its links lead on."""
        been = []
        while path not in been:
            been.append(path)
            page = self.get(path)
            yield from page.root.one("tbody").all("tr")
            following = page.root.all("a", rel="next")
            if not following:
                return
            path = following[0].attrs["href"]
        raise AssertionError(f"{path} leads back to itself")

    def _checked(self, response: TestResponse, status: int) -> Page:
        html = response.get_data(as_text=True) if is_html(response) else ""
        found = f"{response.request.path} answered {response.status_code}"
        assert response.status_code == status, f"{found}, not {status}"
        page = Page(response, parse(html))
        # A redirect's body is the framework's; nobody sees it.
        if html and not 300 <= response.status_code < 400:
            wrong = faults(html)
            assert not wrong, f"{response.request.path}: " + "; ".join(wrong)
        return page


def is_html(response: TestResponse) -> bool:
    """Return whether an answer is a page or a part of one."""
    return response.mimetype == "text/html"


def faults(html: str) -> list[str]:
    """Return what is wrong with a page, or with a fragment (which has no <html>)."""
    root = parse(html)
    checks = CHECKS + (PAGE_CHECKS if root.all("html") else FRAGMENT_CHECKS)
    return [fault for check in checks for fault in check(root)]


def _ids(root: Element) -> Iterator[str]:
    ids = [e.attrs["id"] for e in root.walk() if "id" in e.attrs]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"the id {name!r} is there more than once"


def _forms(root: Element) -> Iterator[str]:
    for form in root.all("form"):
        if not form.attrs.get("action"):
            yield "a form has no action, so it does not work as a plain POST"
        if form.attrs.get("method", "").lower() not in {"get", "post", "dialog"}:
            yield f"the form to {form.attrs.get('action')} names no method"
        own = form.attrs.get("id", "")
        buttons = form.all("button") or (own and root.all("button", form=own))
        if not buttons and not form.all("input", type="submit"):
            yield f"the form to {form.attrs.get('action')} has no button"


def _inline(root: Element) -> Iterator[str]:
    for element in root.walk():
        if element.tag == "style":
            yield "a style element; put the rules into a file"
        if element.tag == "script" and "src" not in element.attrs:
            yield "a script in the page; put it into a module"
        for name, value in element.attrs.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                yield f"<{element.tag}> has {name!r}, which the policy refuses"
            if value.strip().lower().startswith("javascript:"):
                yield f"<{element.tag}> has a script in {name!r}"


def _references(root: Element) -> Iterator[str]:
    ids = {e.attrs["id"] for e in root.walk() if "id" in e.attrs}
    for element in root.walk():
        for name in REFERENCES:
            for target in element.attrs.get(name, "").split():
                if target not in ids:
                    yield f"<{element.tag} {name}={target!r}> points nowhere"


def _names(root: Element) -> Iterator[str]:
    labelled = {e.attrs["for"] for e in root.all("label") if "for" in e.attrs}
    wrapped = {id(e) for label in root.all("label") for e in label.walk()}
    for field in root.all("input", "select", "textarea"):
        if field.attrs.get("type") in UNLABELLED or id(field) in wrapped:
            continue
        if not {"aria-label", "aria-labelledby"} & field.attrs.keys() and (
            field.attrs.get("id") not in labelled
        ):
            yield f"the field {field.attrs.get('name')!r} has no label"
    for button in root.all("button", "a"):
        named = {"aria-label", "aria-labelledby"} & button.attrs.keys()
        pictured = any(e.attrs.get("alt") for e in button.all("img"))
        if not button.text and not named and not pictured:
            yield f"a <{button.tag}> says nothing"
    for image in root.all("img"):
        if "alt" not in image.attrs:
            yield f"the image {image.attrs.get('src')} has no alt"


def _heading(root: Element) -> Iterator[str]:
    headings, titles = root.all("h1"), root.all("title")
    if len(headings) != 1:
        yield f"{len(headings)} h1 elements, not one"
    if len(titles) < 1 or not titles[0].text:
        yield "the page has no title"
    elif len(headings) == 1 and not titles[0].text.startswith(headings[0].text):
        yield f"the title {titles[0].text!r} does not start with {headings[0].text!r}"


def _language(root: Element) -> Iterator[str]:
    if not root.one("html").attrs.get("lang"):
        yield "<html> does not say its language"


def _one_root(root: Element) -> Iterator[str]:
    tops = [child for child in root.children if isinstance(child, Element)]
    # What htmx puts elsewhere travels beside the fragment.
    tops = [e for e in tops if "hx-swap-oob" not in e.attrs and e.tag != "hx-partial"]
    if len(tops) != 1 or "id" not in tops[0].attrs:
        yield "a fragment has one root element, with an id"


Check = Callable[[Element], Iterator[str]]
CHECKS: tuple[Check, ...] = (_ids, _forms, _inline, _names)
PAGE_CHECKS: tuple[Check, ...] = (_heading, _language, _references)
FRAGMENT_CHECKS: tuple[Check, ...] = (_one_root,)
