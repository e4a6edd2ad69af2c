from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import render_template_string
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    EmailField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Email, InputRequired, Length

from tests.unit.web.styleguide import create_app

MACROS = (
    '{% from "components/forms.html" import checkbox, checkboxes, form_errors, radios %}'
    '{% from "components/forms.html" import select, text_input, textarea %}'
)


class CommentForm(FlaskForm):  # type: ignore[misc]
    name = StringField(
        "Name", validators=[InputRequired(_l("Enter a name"))], render_kw={"autocomplete": "name"}
    )
    email = EmailField("E-mail", description="To reply to you", validators=[Email("Enter an e-mail address")])
    rating = RadioField("Rating", choices=["bad", "good"], validators=[InputRequired("Choose a rating")])
    drivers = SelectMultipleField("What went well?", choices=["ease", "speed"])
    channel = SelectField("Channel", choices=["web", "desk"])
    text = TextAreaField("Comment", validators=[Length(max=5, message="Write less")])
    public = BooleanField("Publish it")


@pytest.fixture
def page() -> Any:
    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False

    def render(source: str, data: list[tuple[str, str]]) -> BeautifulSoup:
        with app.test_request_context("/", method="POST"):
            form = CommentForm(formdata=MultiDict(data))
            form.validate()
            return BeautifulSoup(render_template_string(MACROS + source, form=form), "html.parser")

    return render


WHOLE = (
    "{{ form_errors(form) }}{{ text_input(form.name) }}{{ text_input(form.email, type='email') }}"
    "{{ radios(form.rating) }}{{ checkboxes(form.drivers) }}{{ select(form.channel) }}"
    "{{ textarea(form.text) }}{{ checkbox(form.public) }}"
)


def test_each_error_leads_to_the_field_that_explains_it(page: Any) -> None:
    html = page(WHOLE, [("email", "nobody"), ("channel", "web"), ("text", "too long")])
    links = {link["href"]: link.get_text() for link in html.select(".cv-errors a")}

    assert links == {
        "#name": "Enter a name",
        "#email": "Enter an e-mail address",
        "#rating": "Choose a rating",
        "#text": "Write less",
    }
    for href, text in links.items():
        control = html.select_one(href)
        described = control.get("aria-describedby") or control.find_parent("fieldset")["aria-describedby"]
        assert text in " ".join(html.find(id=name).get_text() for name in described.split())


def test_nothing_typed_is_lost(page: Any) -> None:
    sent = [
        ("name", ""),
        ("email", '"><b>'),
        ("rating", "good"),
        ("drivers", "speed"),
        ("channel", "desk"),
        ("text", "\nlong comment"),
        ("public", "y"),
    ]
    html = page(WHOLE, sent)

    assert html.select_one("#email")["value"] == '"><b>'
    assert [tag["value"] for tag in html.select("input:checked, [checked]")] == ["good", "speed", "y"]
    assert html.select_one("option[selected]")["value"] == "desk"
    assert html.select_one("textarea").string == "\n\nlong comment"


def test_fields_say_what_they_are_for(page: Any) -> None:
    html = page(WHOLE, [])

    assert html.select_one("#name")["autocomplete"] == "name"
    assert html.select_one("#email-hint").get_text() == "To reply to you"
    assert html.select_one("#name").has_attr("required")
    assert not html.select_one("#email").has_attr("required")


def test_faces_follow_what_is_best_and_not_the_order_on_the_page(page: Any) -> None:
    source = "{% set items = [{'value': 1, 'label': 'a'}, {'value': 2, 'label': 'b'}] %}"
    rising = page(source + "{{ radios(legend='x', name='q', items=items, display='faces') }}", [])
    falling = page(
        source + "{{ radios(legend='x', name='q', items=items|reverse|list, display='faces') }}", []
    )
    inverted = page(
        source + "{{ radios(legend='x', name='q', items=items, display='faces', best='low') }}", []
    )

    def faces(html: BeautifulSoup) -> list[str]:
        return [str(path["d"]) for path in html.select(".cv-face path")]

    assert faces(rising) == faces(falling)[::-1] == faces(inverted)[::-1]
    assert faces(rising)[0] != faces(rising)[1]


def test_answers_set_apart_belong_to_the_same_question(page: Any) -> None:
    items = "items=[{'value': 1, 'label': 'a'}], aside=[{'value': 'na', 'label': 'n'}]"
    html = page(f"{{{{ radios(legend='x', name='q', {items}, value='na') }}}}", [])
    inputs = html.select("fieldset input")

    assert [(tag["name"], tag["id"], tag["value"], tag.has_attr("checked")) for tag in inputs] == [
        ("q", "q", "1", False),
        ("q", "q-2", "na", True),
    ]
