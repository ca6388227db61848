"""Pages where a youth chooses to go on logged in."""

from fastapi import APIRouter

router = APIRouter()
