"""What a form asks beside the address."""

from server.domain.parts import Key, Line, Locale, Part


class FormField(Part):
    """One thing we ask beside the address. Optional unless `required` (CR-09)."""

    key: Key
    required: bool = False
    label: dict[Locale, Line]
    why: dict[Locale, Line]
