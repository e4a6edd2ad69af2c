from datetime import timedelta

import pytest

from citizenvoice.db import db
from citizenvoice.feedback import actions
from tests.factories import MAY_1, ReceiptFactory


@pytest.mark.usefixtures("database")
def test_what_tells_senders_apart_is_erased_within_hours() -> None:
    old = ReceiptFactory.create(received_at=MAY_1, sender_digest=b"o" * 32)
    new = ReceiptFactory.create(received_at=MAY_1 + timedelta(hours=2), sender_digest=b"n" * 32)

    assert actions.forget_senders(MAY_1 + timedelta(hours=2, minutes=30)) == 1

    db.session.expire_all()
    assert (old.sender_digest, new.sender_digest) == (None, b"n" * 32)
