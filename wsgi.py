"""What a WSGI server imports: `wsgi:app`."""

from server import create_app
from server.settings import load_settings

app = create_app(load_settings())
