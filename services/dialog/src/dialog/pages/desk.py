"""The helpers' desk."""

from fastapi import APIRouter

router = APIRouter()
