from sqlalchemy import text, inspect
from citizenvoice.db import db
import redis, psycopg


def test_db(client, queries):
    with queries() as sent:
        db.session.execute(text("select 1"))
    assert len(sent) == 1
    print(inspect(db.engine).get_table_names())
    r = client.get("/nothing")
    assert r.status_code == 404


def test_real(real_app):
    with real_app.app_context():
        print(db.engine.url)
        assert inspect(db.session.connection()).get_table_names()


def test_redis(redis_url):
    with redis.Redis.from_url(redis_url) as r:
        assert r.ping()


def test_pg(postgres_database):
    assert postgres_database.startswith("postgresql")
