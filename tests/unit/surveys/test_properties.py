"""Properties that hold for every questionnaire and every answer."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from citizenvoice.surveys import routing
from citizenvoice.surveys.changes import definition_changes, definition_digest
from citizenvoice.surveys.definition import Definition, Kind
from citizenvoice.surveys.parsing import parse_definition
from citizenvoice.surveys.validation import compile_survey
from citizenvoice.surveys.values import Mode

WORDS = st.dictionaries(
    st.sampled_from(["en", "es", "pt-BR"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    max_size=3,
)
DONT_KNOW = st.fixed_dictionaries({"label": WORDS, "code": st.just(98)})
JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=3))
)


@st.composite
def questions(draw: st.DrawFn, key: str, earlier: list[dict[str, Any]]) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(Kind)))
    question: dict[str, Any] = {
        "key": key,
        "kind": kind.value,
        "text": draw(WORDS),
        "required": draw(st.booleans()),
    }
    if kind is Kind.SCALE:
        values = sorted(
            draw(st.sets(st.integers(-5, 20), min_size=2, max_size=11)), reverse=draw(st.booleans())
        )
        question["points"] = [{"value": value, "label": draw(WORDS)} for value in values]
        question["dont_know"] = draw(st.none() | DONT_KNOW)
    elif kind in (Kind.SINGLE, Kind.MULTIPLE):
        values = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True))
        question["choices"] = [{"value": value, "label": draw(WORDS)} for value in values]
        if kind is Kind.MULTIPLE:
            question["max_choices"] = draw(st.none() | st.integers(1, len(values)))
    elif kind is Kind.NUMBER:
        question |= {"minimum": draw(st.integers(-9, 9)), "maximum": draw(st.integers(10, 99))}
    else:
        question["max_chars"] = draw(st.integers(1, 50))
    sources = [(e["key"], value) for e in earlier for value in values_of(e)]
    conditional: bool = draw(st.booleans())
    if sources and conditional:
        source, value = draw(st.sampled_from(sources))
        question["shown_if"] = draw(
            st.sampled_from(
                [
                    {"question": source, "in": [value]},
                    {"any": [{"question": source, "in": [value]}]},
                    {"all": [{"question": source, "in": [value]}]},
                ]
            )
        )
    return question


def values_of(question: dict[str, Any]) -> list[Any]:
    values = [item["value"] for name in ("points", "choices") for item in question.get(name, ())]
    return [*values, "dk"] if question.get("dont_know") else values


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    asked: list[dict[str, Any]] = []
    sections = []
    for number in range(draw(st.integers(1, 3))):
        own = []
        for _ in range(draw(st.integers(1, 3))):
            own.append(draw(questions(f"q{len(asked)}", asked)))
            asked.append(own[-1])
        sections.append({"key": f"s{number}", "title": draw(WORDS), "questions": own})
    return parse_definition({"title": draw(WORDS), "languages": ["en", "es"], "sections": sections})


@st.composite
def answered(draw: st.DrawFn) -> tuple[Definition, dict[str, Any]]:
    """Draw a questionnaire with what somebody sent: good answers and nonsense."""
    definition = draw(definitions())
    sent: dict[str, Any] = {}
    for question in definition.questions:
        values = question.possible_values
        good: st.SearchStrategy[Any] = (
            st.sampled_from(values) if values else st.integers(-20, 120) | st.text(max_size=60)
        )
        if question.kind is Kind.MULTIPLE:
            good = st.lists(good, max_size=4)
        sent[question.key] = draw(good | JUNK)
    return definition, sent


@given(definitions())
def test_a_definition_survives_being_written_and_read(definition: Definition) -> None:
    again = parse_definition(definition.to_json())
    assert again == definition
    assert definition_digest(again) == definition_digest(definition)
    assert definition_changes(definition, again) == []


@given(answered(), st.sampled_from([Mode.JSON, Mode.IMPORT]))
def test_nothing_out_of_range_is_ever_accepted(drawn: tuple[Definition, dict[str, Any]], mode: Mode) -> None:
    definition, sent = drawn
    checked = compile_survey(definition, "en").check(sent, mode=mode)
    for key, answer in checked.answers.items():
        question = definition.question(key)
        if question.kind is Kind.MULTIPLE:
            order = [choice.value for choice in question.choices]
            assert answer
            assert answer == [value for value in order if value in answer]
            assert len(answer) <= (question.max_choices or len(order))
        elif question.kind is Kind.NUMBER:
            assert isinstance(answer, int | float)
            assert not isinstance(answer, bool)
            assert question.minimum is not None
            assert question.maximum is not None
            assert question.minimum <= answer <= question.maximum
        else:
            assert any(answer == value and type(answer) is type(value) for value in question.possible_values)
    for key, text in checked.texts.items():
        assert 0 < len(text) <= definition.question(key).max_chars
        assert "\0" not in text
        text.encode()


@given(answered())
def test_only_questions_that_were_shown_have_answers(drawn: tuple[Definition, dict[str, Any]]) -> None:
    definition, sent = drawn
    checked = compile_survey(definition, "en").check(sent, mode=Mode.IMPORT)
    shown = routing.shown_questions(definition, checked.answers)
    assert set(checked.answers) | set(checked.texts) <= set(shown)
    assert routing.still_standing(definition, checked.answers) == checked.answers


@given(answered())
def test_going_forward_meets_each_section_on_the_path_once(drawn: tuple[Definition, dict[str, Any]]) -> None:
    definition, sent = drawn
    answers = compile_survey(definition, "en").check(sent, mode=Mode.IMPORT).answers
    met = []
    section = routing.next_section(definition, answers)
    while section is not None:
        met.append(section.key)
        assert routing.position(definition, answers, section.key) == len(met)
        section = routing.next_section(definition, answers, section.key)
    assert met == [section.key for section in routing.shown_sections(definition, answers)]


@given(answered(), st.integers(0, 4))
def test_more_sections_never_take_back_what_was_offered(
    drawn: tuple[Definition, dict[str, Any]], n_sections: int
) -> None:
    definition, sent = drawn
    answers = compile_survey(definition, "en").check(sent, mode=Mode.IMPORT).answers
    fewer, more = (routing.asked(definition, answers, n) for n in (n_sections, n_sections + 1))
    assert all(
        more[key] is routing.Asked.OFFERED for key, state in fewer.items() if state is routing.Asked.OFFERED
    )
