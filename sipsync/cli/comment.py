"""`sipsync comment`: one comment with the plan in a pull or merge request, edited in place."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
