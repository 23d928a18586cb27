"""django-newsletter as its own documentation sets it up, with one newsletter.

Runs in bench/peers/.venv, which knows nothing of Jawoord. It gets what we have: WAL,
`synchronous=FULL`, kept connections and a mail server that takes everything.
"""

import os
import sys

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for the benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="project_urls",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.sites",
        "sorl.thumbnail",
        "newsletter",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCH_DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            },
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SITE_ID=1,
    USE_TZ=True,
    NEWSLETTER_CONFIRM_EMAIL=True,
    NEWSLETTER_THUMBNAIL="sorl-thumbnail",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=int(os.environ["BENCH_SMTP_PORT"]),
)
django.setup()


def fill() -> None:
    """Make the tables and one newsletter."""
    from django.contrib.sites.models import Site
    from django.core.management import call_command
    from newsletter.models import Newsletter

    call_command("migrate", verbosity=0)
    news = Newsletter(title="News", slug="news", email="news@bench.example")
    news.sender = "Bench"
    news.save()
    news.site.set(Site.objects.all())


if __name__ == "__main__" and sys.argv[1:] == ["fill"]:
    fill()
else:
    from django.core.wsgi import get_wsgi_application

    app = get_wsgi_application()
