"""Pictures of the shops."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class Image(Base):
    """A picture as we made it anew, named by the SHA-256 of its bytes (T20)."""

    __tablename__ = "image"

    name: Mapped[str] = mapped_column(primary_key=True)
    mimetype: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    # Hex SHA-256 of what it was made from and for: the same again needs no new one.
    source: Mapped[str] = mapped_column(index=True)
    body: Mapped[bytes]
    created_at: Mapped[datetime]
