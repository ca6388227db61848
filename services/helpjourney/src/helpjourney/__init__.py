"""Level 3: claims of handoffs, appointments and the youth's own overview."""
