import pytest
from sqlalchemy import select

from citizenvoice.accounts.models import AuditEntry
from citizenvoice.accounts.scope import Role
from citizenvoice.agencies.models import Service
from citizenvoice.analysis.models import Annotation
from citizenvoice.db import db
from citizenvoice.feedback.models import Comment, Exclusion, Reading, Receipt
from citizenvoice.reporting.moderation import CORRECTED, EXCLUSION_SET, RESTORED
from tests.factories import (
    AgencyFactory,
    CommentFactory,
    MembershipFactory,
    PredictedThemeFactory,
    PredictionFactory,
    ReceiptFactory,
    ServiceFactory,
    ThemeFactory,
)
from tests.members import member_of, sign_in
from tests.pages import PageClient


@pytest.fixture
def service(client: PageClient) -> Service:
    """A service, looked after by an analyst of its agency."""
    service: Service = ServiceFactory.create()
    sign_in(client, member_of(service.agency, Role.ANALYST))
    return service


@pytest.fixture
def comment(service: Service) -> Comment:
    """A comment that the machine read as rather negative."""
    receipt = ReceiptFactory.create(service_id=service.id, uncounted=False)
    comment: Comment = CommentFactory.create(receipt=receipt, reading=Reading.DONE)
    PredictionFactory.create(comment=comment, sentiment=2)
    return comment


def annotations(comment: Comment) -> list[Annotation]:
    return list(
        db.session.scalars(
            select(Annotation).where(Annotation.comment_id == comment.id).order_by(Annotation.id)
        )
    )


def audit(action: str) -> list[AuditEntry]:
    return list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def test_a_correction_stands_beside_the_prediction_and_is_written_down(
    client: PageClient, service: Service, comment: Comment
) -> None:
    theme = ThemeFactory.create(name="Fees")
    back = f"/manage/services/{service.slug}/comments?q=long"
    answer = client.post(
        f"/manage/comments/{comment.id}",
        data={"sentiment": "4", "themes": [str(theme.id)], "back": back},
    )

    assert answer.location == back
    [said] = annotations(comment)
    assert (said.sentiment, said.has_themes, [one.id for one in said.themes]) == (4, True, [theme.id])
    assert db.session.get_one(Receipt, comment.receipt_id).uncounted is True
    [entry] = audit(CORRECTED)
    assert (entry.subject, entry.agency_id) == (f"{service.slug} {comment.id}", service.agency_id)
    assert entry.detail == {"sentiment": 4, "themes": [theme.id]}
    page = client.get(f"/manage/comments/{comment.id}").text
    assert "Rather negative" in page
    assert "confidence 80%" in page
    assert "Rather positive" in page
    assert "Fees" in page


def test_ticks_left_as_the_machine_made_them_stay_the_machines(
    client: PageClient, service: Service, comment: Comment
) -> None:
    theme = ThemeFactory.create()
    PredictedThemeFactory.create(comment_id=comment.id, theme=theme)
    client.post(f"/manage/comments/{comment.id}", data={"sentiment": "1", "themes": [str(theme.id)]})

    [said] = annotations(comment)
    assert (said.sentiment, said.has_themes) == (1, False)


def test_nothing_changed_leaves_nothing_behind(
    client: PageClient, service: Service, comment: Comment
) -> None:
    client.post(f"/manage/comments/{comment.id}", data={"sentiment": ""})

    assert annotations(comment) == []
    assert audit(CORRECTED) == audit(RESTORED) == []


def test_who_saves_last_is_right_and_the_history_stays(
    client: PageClient, service: Service, comment: Comment
) -> None:
    for sentiment in ("1", "5"):
        sign_in(client, member_of(service.agency, Role.ANALYST))
        client.post(f"/manage/comments/{comment.id}", data={"sentiment": sentiment})
    client.post(f"/manage/comments/{comment.id}", data={"sentiment": "3", "restore": "1"})

    first, second, restored = annotations(comment)
    assert (first.sentiment, second.sentiment, restored.sentiment) == (1, 5, None)
    assert first.superseded_at is not None
    assert second.superseded_at is not None
    assert restored.superseded_at is None
    assert first.user_id != second.user_id
    assert len(audit(RESTORED)) == 1
    text = client.get(f"/manage/comments/{comment.id}").text
    assert "Very positive" in text
    assert "Go back to the machine" not in text


@pytest.mark.parametrize(
    "data",
    [{"sentiment": "6"}, {"sentiment": "a"}, {"sentiment": "１"}, {"themes": ["0"]}, {"themes": ["x"]}],
)
def test_what_is_not_offered_is_refused(
    client: PageClient, service: Service, comment: Comment, data: dict[str, object]
) -> None:
    assert client.post(f"/manage/comments/{comment.id}", data=data).status_code == 422
    assert annotations(comment) == []


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/manage//evil",
        "/en/",
        "javascript:x",
        "/manage/\n",
    ],
)
def test_nobody_is_led_elsewhere(client: PageClient, service: Service, comment: Comment, back: str) -> None:
    answer = client.post(f"/manage/comments/{comment.id}", data={"sentiment": "1", "back": back})

    assert answer.location == f"/manage/services/{service.slug}/comments"


def test_what_was_withdrawn_is_left_alone(client: PageClient, service: Service, comment: Comment) -> None:
    comment.receipt.exclusion, comment.text = Exclusion.WITHDRAWN, ""

    assert client.post(f"/manage/comments/{comment.id}", data={"sentiment": "1"}).status_code == 422
    assert client.post(exclusion_of(comment), data={"exclusion": "spam"}).status_code == 422
    assert "Its sender withdrew it" in client.get(f"/manage/comments/{comment.id}").text


def exclusion_of(comment: Comment) -> str:
    return f"/manage/contributions/{comment.receipt_id}/exclusion"


def test_spam_is_left_out_and_can_count_again(client: PageClient, service: Service, comment: Comment) -> None:
    client.post(exclusion_of(comment), data={"exclusion": "spam"})
    receipt = db.session.get_one(Receipt, comment.receipt_id)
    assert (receipt.exclusion, receipt.uncounted) == ("spam", True)
    assert "Count it again" in client.get(f"/manage/comments/{comment.id}").text

    client.post(exclusion_of(comment), data={"exclusion": ""})
    assert db.session.get_one(Receipt, comment.receipt_id).exclusion is None
    assert [entry.detail for entry in audit(EXCLUSION_SET)] == [
        {"from": None, "to": "spam"},
        {"from": "spam", "to": None},
    ]


@pytest.mark.parametrize("reason", ["withdrawn", "duplicate", "nonsense"])
def test_other_reasons_are_not_a_moderators_to_give(
    client: PageClient, service: Service, comment: Comment, reason: str
) -> None:
    assert client.post(exclusion_of(comment), data={"exclusion": reason}).status_code == 422


def test_a_duplicate_stands_beside_what_it_repeats_and_can_count(
    client: PageClient, service: Service, comment: Comment
) -> None:
    repeated = ReceiptFactory.create(
        service_id=service.id, exclusion=Exclusion.DUPLICATE, duplicate_of_id=comment.receipt_id
    )
    again = CommentFactory.create(receipt=repeated, text="It took too long again.")
    where = f"/manage/services/{service.slug}/duplicates"
    page = client.get(where).text
    assert "It took too long." in page
    assert "It took too long again." in page

    client.post(exclusion_of(again), data={"exclusion": "", "back": where})
    receipt = db.session.get_one(Receipt, repeated.id)
    assert (receipt.exclusion, receipt.duplicate_of_id) == (None, None)
    assert "Nothing was sent twice" in client.get(where).text


def test_duplicates_come_a_page_at_a_time(client: PageClient, service: Service, comment: Comment) -> None:
    ReceiptFactory.create_batch(
        51, service_id=service.id, exclusion=Exclusion.DUPLICATE, duplicate_of_id=comment.receipt_id
    )
    where = f"/manage/services/{service.slug}/duplicates"
    first = client.get(where).text

    assert first.count("Not a duplicate: count it") == 50
    assert 'rel="next"' in first


def test_viewers_and_strangers_change_nothing(client: PageClient, service: Service, comment: Comment) -> None:
    doors = [f"/manage/comments/{comment.id}", exclusion_of(comment)]
    sign_in(client, member_of(service.agency, Role.VIEWER))
    assert [
        client.post(door, data={"sentiment": "1", "exclusion": "spam"}).status_code for door in doors
    ] == [403] * 2

    both = member_of(service.agency, Role.VIEWER)
    elsewhere = member_of(AgencyFactory.create(), Role.OWNER)
    sign_in(client, elsewhere)
    assert [client.post(door, data={"sentiment": "1"}).status_code for door in doors] == [404] * 2
    assert client.get(doors[0]).status_code == 404
    assert both.id != elsewhere.id
    assert annotations(comment) == []
    assert db.session.get_one(Receipt, comment.receipt_id).exclusion is None


def test_an_analyst_elsewhere_is_only_a_viewer_here(
    client: PageClient, service: Service, comment: Comment
) -> None:
    user = member_of(service.agency, Role.VIEWER)
    MembershipFactory.create(user=user, agency=AgencyFactory.create(), role=Role.ANALYST)
    sign_in(client, user)

    assert client.post(f"/manage/comments/{comment.id}", data={"sentiment": "1"}).status_code == 403
    assert client.get(f"/manage/services/{service.slug}/comments.csv").status_code == 403
