"""The panel's desk: queue, answer, approve for publishing."""

from fastapi import APIRouter

router = APIRouter()
