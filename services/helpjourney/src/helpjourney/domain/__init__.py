"""The rules of level 3: claims, ages, journeys and appointments. Pure: no database, no clock, no framework."""
