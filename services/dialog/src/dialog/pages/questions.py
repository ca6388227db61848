"""Pages where a youth asks and reads the answer."""

from fastapi import APIRouter

router = APIRouter()
