"""Tables of chats."""
