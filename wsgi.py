"""What a WSGI server imports: `wsgi:app`."""

from server import create_app, log
from server.settings import load_settings

log.configure()
app = create_app(load_settings())
