"""Create every table.

Downgrading drops them all, and with them everything anybody said.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "agency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "names",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("fiscal_year_start", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "fiscal_year_start BETWEEN 1 AND 12", name=op.f("ck_agency_fiscal_year_start_is_a_month")
        ),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_agency_not_its_own_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["agency.id"], name=op.f("fk_agency_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("slug", name=op.f("uq_agency_slug")),
    )
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agency_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index("ix_agency_path", ["path"], unique=False)

    op.create_table(
        "codebook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "names",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codebook")),
        sa.UniqueConstraint("key", name=op.f("uq_codebook_key")),
    )
    op.create_table(
        "job_lease",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_lease")),
    )
    op.create_table(
        "security_role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_role")),
        sa.UniqueConstraint("name", name=op.f("uq_security_role_name")),
    )
    op.create_table(
        "trained_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "figures",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trained_model")),
        sa.UniqueConstraint("digest", name=op.f("uq_trained_model_digest")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_fs_uniquifier")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_api_key_agency_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_api_key_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_agency_id"), ["agency_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("agency_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column(
            "detail",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_audit_entry_agency_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_audit_entry_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_agency_id_id", ["agency_id", "id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'manager', 'analyst', 'viewer')", name=op.f("ck_membership_role_known")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_membership_agency_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("user_id", "agency_id", name=op.f("uq_membership_user_id_agency_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column(
            "names",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "descriptions",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "languages",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "channels",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("external_id", sa.String(length=80), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_service_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("external_id", name=op.f("uq_service_external_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_service_slug")),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_agency_id"), ["agency_id"], unique=False)

    op.create_table(
        "theme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("codebook_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "names",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["codebook_id"], ["codebook.id"], name=op.f("fk_theme_codebook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
        sa.UniqueConstraint("codebook_id", "key", name=op.f("uq_theme_codebook_id_key")),
    )
    op.create_table(
        "user_security_role",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["security_role.id"], name=op.f("fk_user_security_role_role_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_security_role_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_security_role")),
    )
    op.create_table(
        "indicator_setting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("minimum_n", sa.Integer(), nullable=True),
        sa.Column("baseline", sa.Double(), nullable=True),
        sa.Column("baseline_day", sa.Date(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("target_day", sa.Date(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "level IN ('input', 'activity', 'output', 'outcome', 'impact')",
            name=op.f("ck_indicator_setting_level_known"),
        ),
        sa.CheckConstraint(
            "(baseline IS NULL) = (baseline_day IS NULL)", name=op.f("ck_indicator_setting_baseline_dated")
        ),
        sa.CheckConstraint(
            "(target IS NULL) = (target_day IS NULL)", name=op.f("ck_indicator_setting_target_dated")
        ),
        sa.CheckConstraint(
            "minimum_n IS NULL OR minimum_n >= 5", name=op.f("ck_indicator_setting_minimum_n_protects_people")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_indicator_setting_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator_setting")),
        sa.UniqueConstraint("service_id", "code", name=op.f("uq_indicator_setting_service_id_code")),
    )
    with op.batch_alter_table("indicator_setting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indicator_setting_service_id"), ["service_id"], unique=False)

    op.create_table(
        "journey_stage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "names",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("transaction_point", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_journey_stage_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey_stage")),
        sa.UniqueConstraint("service_id", "position", name=op.f("uq_journey_stage_service_id_position")),
    )
    with op.batch_alter_table("journey_stage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journey_stage_service_id"), ["service_id"], unique=False)

    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sender_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("exclusion", sa.String(length=12), nullable=True),
        sa.Column("exclusion_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duplicate_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("uncounted", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "exclusion IN ('withdrawn', 'spam', 'duplicate', 'test')", name=op.f("ck_receipt_exclusion_known")
        ),
        sa.CheckConstraint(
            "duplicate_of_id IS NULL OR duplicate_of_id < id",
            name=op.f("ck_receipt_duplicate_of_an_earlier_one"),
        ),
        sa.ForeignKeyConstraint(["duplicate_of_id"], ["receipt.id"], name=op.f("fk_receipt_duplicate_of_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_receipt_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_receipt_code_hash")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_receipt_excluded",
            ["service_id", "id"],
            unique=False,
            sqlite_where=sa.text("exclusion IS NOT NULL"),
            postgresql_where=sa.text("exclusion IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_receipt_sender_digest",
            ["sender_digest"],
            unique=False,
            sqlite_where=sa.text("sender_digest IS NOT NULL"),
            postgresql_where=sa.text("sender_digest IS NOT NULL"),
        )
        batch_op.create_index("ix_receipt_service_day", ["service_id", "day"], unique=False)
        batch_op.create_index(
            "ix_receipt_uncounted",
            ["id"],
            unique=False,
            sqlite_where=sa.text("uncounted"),
            postgresql_where=sa.text("uncounted"),
        )

    op.create_table(
        "service_volume",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("n_served", sa.Integer(), nullable=False),
        sa.Column("n_offered", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "n_offered IS NULL OR (n_offered >= 0 AND n_offered <= n_served)",
            name=op.f("ck_service_volume_offered_within_served"),
        ),
        sa.CheckConstraint("n_served >= 0", name=op.f("ck_service_volume_served_not_negative")),
        sa.CheckConstraint('start < "end"', name=op.f("ck_service_volume_period_not_empty")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_service_volume_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_volume")),
        sa.UniqueConstraint(
            "service_id",
            "channel",
            "start",
            "end",
            name=op.f("uq_service_volume_service_id_channel_start_end"),
        ),
    )
    with op.batch_alter_table("service_volume", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_volume_service_id"), ["service_id"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.String(length=60), nullable=False),
        sa.Column("prompt", sa.String(length=12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "masked",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("reading", sa.String(length=8), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint("reading IN ('pending', 'done', 'failed')", name=op.f("ck_comment_reading_known")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_comment_receipt_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_comment_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index("ix_comment_receipt_id", ["receipt_id"], unique=False)
        batch_op.create_index("ix_comment_service_id_day_id", ["service_id", "day", "id"], unique=False)
        batch_op.create_index("ix_comment_service_id_id", ["service_id", "id"], unique=False)
        batch_op.create_index(
            "ix_comment_unread",
            ["id"],
            unique=False,
            sqlite_where=sa.text("reading = 'pending'"),
            postgresql_where=sa.text("reading = 'pending'"),
        )

    op.create_table(
        "survey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agency_id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("codebook", sa.String(length=60), nullable=False),
        sa.Column(
            "draft",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("stage_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'live', 'closed')", name=op.f("ck_survey_state_known")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_survey_agency_id")),
        sa.ForeignKeyConstraint(["stage_id"], ["journey_stage.id"], name=op.f("fk_survey_stage_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("slug", name=op.f("uq_survey_slug")),
    )
    with op.batch_alter_table("survey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_agency_id"), ["agency_id"], unique=False)

    op.create_table(
        "annotation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("comment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("sentiment", sa.Integer(), nullable=True),
        sa.Column("has_themes", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sentiment BETWEEN 1 AND 5", name=op.f("ck_annotation_sentiment_in_scale")),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_annotation_comment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_annotation_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation")),
    )
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_annotation_comment_id"), ["comment_id"], unique=False)
        batch_op.create_index(
            "ix_annotation_current",
            ["comment_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column(
            "mapping",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n_bytes_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "summary",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('uploaded', 'waiting', 'running', 'done', 'failed')", name=op.f("ck_import_run_state_known")
        ),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_import_run_survey_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_import_run_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_survey_id"), ["survey_id"], unique=False)

    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_link_service_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_link_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("code", name=op.f("uq_link_code")),
        sa.UniqueConstraint(
            "survey_id", "service_id", "channel", name=op.f("uq_link_survey_id_service_id_channel")
        ),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_survey_id"), ["survey_id"], unique=False)

    op.create_table(
        "prediction",
        sa.Column(
            "comment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("sentiment", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sentiment BETWEEN 1 AND 5", name=op.f("ck_prediction_sentiment_in_scale")),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=op.f("fk_prediction_comment_id")),
        sa.ForeignKeyConstraint(["model_id"], ["trained_model.id"], name=op.f("fk_prediction_model_id")),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_prediction")),
    )
    op.create_table(
        "survey_service",
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_survey_service_service_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_service_survey_id")),
        sa.PrimaryKeyConstraint("survey_id", "service_id", name=op.f("pk_survey_service")),
    )
    with op.batch_alter_table("survey_service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_service_service_id"), ["service_id"], unique=False)

    op.create_table(
        "survey_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "definition",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_version_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_version")),
        sa.UniqueConstraint("survey_id", "number", name=op.f("uq_survey_version_survey_id_number")),
    )
    with op.batch_alter_table("survey_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_version_survey_id"), ["survey_id"], unique=False)

    op.create_table(
        "annotated_theme",
        sa.Column("annotation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("theme_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["annotation_id"], ["annotation.id"], name=op.f("fk_annotated_theme_annotation_id")
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name=op.f("fk_annotated_theme_theme_id")),
        sa.PrimaryKeyConstraint("annotation_id", "theme_id", name=op.f("pk_annotated_theme")),
    )
    with op.batch_alter_table("annotated_theme", schema=None) as batch_op:
        batch_op.create_index("ix_annotated_theme_theme_id", ["theme_id"], unique=False)

    op.create_table(
        "count",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("grain", sa.String(length=5), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("segment", sa.String(length=60), nullable=False),
        sa.Column("segment_value", sa.String(length=60), nullable=False),
        sa.Column("n_responses", sa.Integer(), nullable=False),
        sa.Column(
            "counts",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "pairs",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.CheckConstraint("grain IN ('day', 'month')", name=op.f("ck_count_grain_known")),
        sa.CheckConstraint("n_responses >= 0", name=op.f("ck_count_responses_not_negative")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_count_service_id")),
        sa.ForeignKeyConstraint(["version_id"], ["survey_version.id"], name=op.f("fk_count_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count")),
        sa.UniqueConstraint(
            "service_id",
            "version_id",
            "grain",
            "start",
            "channel",
            "language",
            "segment",
            "segment_value",
            name=op.f("uq_count_service_id_version_id_grain_start_channel_language_segment_segment_value"),
        ),
    )
    with op.batch_alter_table("count", schema=None) as batch_op:
        batch_op.create_index("ix_count_reading", ["service_id", "grain", "segment", "start"], unique=False)

    op.create_table(
        "predicted_theme",
        sa.Column(
            "comment_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("theme_id", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["prediction.comment_id"], name=op.f("fk_predicted_theme_comment_id")
        ),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name=op.f("fk_predicted_theme_theme_id")),
        sa.PrimaryKeyConstraint("comment_id", "theme_id", name=op.f("pk_predicted_theme")),
    )
    with op.batch_alter_table("predicted_theme", schema=None) as batch_op:
        batch_op.create_index(
            "ix_predicted_theme_theme_id_comment_id", ["theme_id", "comment_id"], unique=False
        )

    op.create_table(
        "response",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column(
            "answers",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "segments",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("n_sections", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("import_digest", sa.String(length=64), nullable=True),
        sa.Column("idempotency_hash", sa.String(length=64), nullable=True),
        sa.CheckConstraint("n_sections >= 1", name=op.f("ck_response_at_least_one_section")),
        sa.ForeignKeyConstraint(["id"], ["receipt.id"], name=op.f("fk_response_id")),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_response_survey_id")),
        sa.ForeignKeyConstraint(["version_id"], ["survey_version.id"], name=op.f("fk_response_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response")),
        sa.UniqueConstraint("survey_id", "external_id", name=op.f("uq_response_survey_id_external_id")),
        sa.UniqueConstraint(
            "survey_id", "idempotency_hash", name=op.f("uq_response_survey_id_idempotency_hash")
        ),
    )
    with op.batch_alter_table("response", schema=None) as batch_op:
        batch_op.create_index("ix_response_version_id", ["version_id"], unique=False)


def downgrade() -> None:
    """Drop them in the opposite order."""
    with op.batch_alter_table("response", schema=None) as batch_op:
        batch_op.drop_index("ix_response_version_id")

    op.drop_table("response")
    with op.batch_alter_table("predicted_theme", schema=None) as batch_op:
        batch_op.drop_index("ix_predicted_theme_theme_id_comment_id")

    op.drop_table("predicted_theme")
    with op.batch_alter_table("count", schema=None) as batch_op:
        batch_op.drop_index("ix_count_reading")

    op.drop_table("count")
    with op.batch_alter_table("annotated_theme", schema=None) as batch_op:
        batch_op.drop_index("ix_annotated_theme_theme_id")

    op.drop_table("annotated_theme")
    with op.batch_alter_table("survey_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_survey_version_survey_id"))

    op.drop_table("survey_version")
    with op.batch_alter_table("survey_service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_survey_service_service_id"))

    op.drop_table("survey_service")
    op.drop_table("prediction")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_survey_id"))

    op.drop_table("link")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_survey_id"))

    op.drop_table("import_run")
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_annotation_current",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_annotation_comment_id"))

    op.drop_table("annotation")
    with op.batch_alter_table("survey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_survey_agency_id"))

    op.drop_table("survey")
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_comment_unread",
            sqlite_where=sa.text("reading = 'pending'"),
            postgresql_where=sa.text("reading = 'pending'"),
        )
        batch_op.drop_index("ix_comment_service_id_id")
        batch_op.drop_index("ix_comment_service_id_day_id")
        batch_op.drop_index("ix_comment_receipt_id")

    op.drop_table("comment")
    with op.batch_alter_table("service_volume", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_volume_service_id"))

    op.drop_table("service_volume")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_receipt_uncounted", sqlite_where=sa.text("uncounted"), postgresql_where=sa.text("uncounted")
        )
        batch_op.drop_index("ix_receipt_service_day")
        batch_op.drop_index(
            "ix_receipt_sender_digest",
            sqlite_where=sa.text("sender_digest IS NOT NULL"),
            postgresql_where=sa.text("sender_digest IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_receipt_excluded",
            sqlite_where=sa.text("exclusion IS NOT NULL"),
            postgresql_where=sa.text("exclusion IS NOT NULL"),
        )

    op.drop_table("receipt")
    with op.batch_alter_table("journey_stage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journey_stage_service_id"))

    op.drop_table("journey_stage")
    with op.batch_alter_table("indicator_setting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indicator_setting_service_id"))

    op.drop_table("indicator_setting")
    op.drop_table("user_security_role")
    op.drop_table("theme")
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_agency_id"))

    op.drop_table("service")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))
        batch_op.drop_index(batch_op.f("ix_membership_agency_id"))

    op.drop_table("membership")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_agency_id_id")

    op.drop_table("audit_entry")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_agency_id"))

    op.drop_table("api_key")
    op.drop_table("user")
    op.drop_table("trained_model")
    op.drop_table("security_role")
    op.drop_table("job_lease")
    op.drop_table("codebook")
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_index("ix_agency_path")
        batch_op.drop_index(batch_op.f("ix_agency_parent_id"))

    op.drop_table("agency")
