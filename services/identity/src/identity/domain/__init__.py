"""The rules of login: numbers and ages, who may ask for what, what an upstream login must show."""
