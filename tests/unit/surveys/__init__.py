"""Tests of questionnaires without a database."""
