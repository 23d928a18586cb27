"""What people were shown."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class Text(Base):
    """An exact wording, notice, form or mail, under the SHA-256 of its bytes.

    Rows are only added: the database refuses to change or delete one (PR-01, PR-07).
    """

    __tablename__ = "text"

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    locale: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime]
