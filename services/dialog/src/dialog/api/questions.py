"""State of the question service over HTTP."""

from fastapi import APIRouter

router = APIRouter()
