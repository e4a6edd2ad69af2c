"""The guard against forged requests on pages where a signed-in person has authority to abuse."""

from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()
