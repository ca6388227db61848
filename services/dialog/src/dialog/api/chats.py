"""Chats and availability over HTTP."""

from fastapi import APIRouter

router = APIRouter()
