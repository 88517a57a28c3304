"""The HTTP side, on Starlette: routes, one error handler, and nothing that decides an answer."""
