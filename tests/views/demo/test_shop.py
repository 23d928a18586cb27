"""The demo shop embeds the widget as a customer would, on pages as strict as theirs."""

import pytest

from server import create_app
from server.settings import load_settings
from server.views.demo.catalogue import CATEGORIES, PRODUCTS, shelf

SERVICE = "http://service.test"
PATHS = [
    "/demo/",
    "/demo/category/wonen",
    "/demo/category/tafel",
    "/demo/product/mok-branding",
    "/demo/basket",
    "/demo/basket?item=mok-branding&item=mok-branding&item=kommen-eb",
    "/demo/done?item=mok-branding",
    "/demo/done",
    "/demo/games/",
    "/demo/how",
    "/demo/inbox",
]


def tag(placement: str, more: str = "") -> str:
    return (
        f'<script async src="{SERVICE}/embed.js" '
        f'data-placement="{placement}"{more}></script>'
    )


def test_the_bare_address_leads_to_the_shop(client, app):
    answer = client.get("/")

    assert answer.status_code == 302
    assert answer.location == f"{app.config['SETTINGS'].demo_shop_url}/demo/"


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_well_made_in_both_languages(pages, path, language):
    page = pages.get(path, headers={"Accept-Language": language})

    assert page.root.one("html").attrs["lang"] == language


@pytest.mark.parametrize("slug", PRODUCTS)
def test_every_product_has_a_page_and_a_picture(pages, slug):
    page = pages.get(f"/demo/product/{slug}")

    pictures = [image.attrs["src"] for image in page.root.one("main").all("img")]
    assert page.h1 in PRODUCTS[slug].name.values()
    assert pages.get(pictures[0]).response.mimetype == "image/svg+xml"


def test_there_is_enough_to_look_at():
    assert len(CATEGORIES) == 2
    assert len(PRODUCTS) >= 8
    assert all(len(shelf(slug)) >= 4 for slug in CATEGORIES)


@pytest.mark.parametrize(
    ("path", "placement"),
    [
        ("/demo/", "lucky-dialog"),
        ("/demo/product/mok-branding", "lucky-inline"),
        ("/demo/category/wonen", "welcome-dialog"),
        ("/demo/done", "welcome-inline"),
    ],
)
def test_a_page_wears_the_tag_that_a_customer_pastes(pages, path, placement):
    page = pages.get(path, headers={"Accept-Language": "nl"})

    assert tag(placement) in page.html
    worn = [script.attrs["data-placement"] for script in page.root.all("script")]
    assert worn == [placement, "footer-newsletter-inline"]


def test_an_english_product_page_names_its_language_in_the_tag(pages):
    page = pages.get("/demo/product/mok-branding", headers={"Accept-Language": "en"})

    assert tag("lucky-inline", ' data-language="en"') in page.html


def test_a_language_that_was_chosen_goes_for_the_game_as_well(pages):
    page = pages.get("/demo/?lang=en", headers={"Accept-Language": "nl"})

    assert page.root.one("html").attrs["lang"] == "en"
    assert tag("lucky-dialog", ' data-language="en"') in page.html


@pytest.mark.parametrize(
    ("path", "play"), [("/demo/", "lucky"), ("/demo/category/wonen", "welcome")]
)
def test_a_button_opens_the_dialog(pages, path, play):
    page = pages.get(path)

    assert page.root.one("button", data_play=play).attrs["type"] == "button"


def test_the_tag_is_shown_as_text(pages):
    page = pages.get("/demo/how")

    assert tag("lucky-dialog") in page.text
    assert page.root.one("main").all("script") == []
    assert f"{SERVICE}/office/" in [a.attrs["href"] for a in page.root.all("a")]


@pytest.mark.parametrize("path", [*PATHS, "/demo/product/nothing"])
def test_the_policy_lets_only_the_service_in(client, path):
    response = client.get(path)

    assert response.headers["Content-Security-Policy"] == (
        f"default-src 'none'; script-src {SERVICE}; frame-src {SERVICE}; "
        "style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ["/demo/product/nothing", "/demo/category/nothing"])
def test_what_is_not_for_sale_is_not_there(pages, path):
    pages.get(path, status=404)


@pytest.mark.parametrize("path", ["/", *PATHS, "/demo/inbox/x", "/demo/inbox/x/html"])
def test_without_the_demo_there_is_nothing(environ, path):
    app = create_app(load_settings(environ | {"JAWOORD_DEMO": "no"}))

    response = app.test_client().get(path)

    app.extensions["database"].dispose()
    assert response.status_code == 404
    assert "Noord" not in response.get_data(as_text=True)


def test_an_order_goes_from_the_product_to_the_thanks(pages):
    product = pages.get("/demo/product/kommen-eb?item=mok-branding&lang=nl")
    asked = [
        (field.attrs["name"], field.attrs["value"])
        for field in product.form("basket").element.all("input")
    ]

    basket = pages.get("/demo/basket", query_string=asked)
    done = pages.submit(basket.form("done"))

    assert asked == [
        ("lang", "nl"),
        ("item", "mok-branding"),
        ("item", "kommen-eb"),
    ]
    assert "Mok Branding" in basket.text
    assert "Kommen Eb" in basket.text
    assert "Gratis" in basket.text or "Free" in basket.text
    assert "item=" not in done.link("Noord & Zon")


def test_shipping_is_paid_below_fifty_euros(pages):
    page = pages.get("/demo/basket?item=mok-branding&lang=en")

    assert "€18.00" in page.text
    assert "€4.95" in page.text
    assert "€22.95" in page.text


def test_a_line_can_be_removed(pages):
    page = pages.get("/demo/basket?item=mok-branding&item=kommen-eb&lang=en")
    links = [
        link.attrs["href"]
        for link in page.root.all("a")
        if link.attrs.get("aria-label", "").endswith("Surf mug")
    ]

    left = pages.get(links[0])

    assert "Surf mug" not in left.text
    assert "Ebb bowls" in left.text


def test_the_basket_takes_only_what_exists_and_not_too_much(pages):
    query = "&".join(["item=<b>x</b>", "item=../etc", *["item=mok-branding"] * 99])

    page = pages.get(f"/demo/basket?{query}&lang=en")

    assert "Number: 20" in page.text
    assert "<b>x" not in page.html


@pytest.mark.parametrize("query", ["lang=xx", "lang=<script>", "_external=1&_scheme=x"])
def test_a_strange_address_changes_nothing(pages, query):
    page = pages.get(f"/demo/?{query}", headers={"Accept-Language": "nl"})

    assert page.root.one("html").attrs["lang"] == "nl"
    links = [link.attrs["href"] for link in page.root.all("a")]
    ours = ("/demo/", "#", "http://service.test/preferences?shop=demo&lang=nl")
    assert all(link.startswith(ours) for link in links)


def test_the_other_language_is_one_link_away_and_keeps_the_basket(pages):
    page = pages.get("/demo/category/wonen?item=mok-branding&lang=nl")

    other = page.root.one("a", hreflang="en").attrs["href"]
    english = pages.get(other)

    assert english.h1 == "Living"
    assert "1" in english.root.one("a", class_="to-basket").text


def test_the_newsletter_stands_in_the_footer_of_the_shop_and_not_of_its_inbox(pages):
    """A mail's page lets no script in at all."""
    page = pages.get("/demo/basket", headers={"Accept-Language": "nl"})

    assert tag("footer-newsletter-inline") in page.html
    assert page.root.one("footer").one("script")
    assert pages.get("/demo/inbox").root.all("script") == []


@pytest.mark.parametrize(
    ("path", "kind", "basket"),
    [
        ("/demo/", "home", None),
        ("/demo/category/wonen", "category", None),
        ("/demo/product/mok-branding", "product", None),
        ("/demo/basket?item=mok-branding&item=mok-branding", "basket", "3600 2"),
        ("/demo/done?item=mok-branding", "done", None),
        ("/demo/how", None, None),
    ],
)
def test_a_page_tells_the_widget_what_it_is_and_what_is_in_the_basket(
    pages, path, kind, basket
):
    body = pages.get(path).root.one("body").attrs

    assert body.get("data-jawoord-page") == kind
    assert body.get("data-jawoord-basket") == basket


def test_a_link_within_the_shop_says_where_it_came_from(client):
    """The widget tells a first page from a later one by it, and keeps nothing."""
    assert client.get("/demo/").headers["Referrer-Policy"] == "same-origin"
