"""The look that the services share: base page, design-system CSS, quick exit, crisis block, languages."""

from webkit.pages import Form, Pages

__all__ = ["Form", "Pages"]
