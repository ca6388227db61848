"""Level 2: anonymous questions, chat and the offer to go on."""
