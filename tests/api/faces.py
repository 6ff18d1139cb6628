# SPDX-License-Identifier: GPL-2.0-or-later
"""Two adapters with one vocabulary: what a test asks of the daemon through REST, and the same through D-Bus."""

from face_bus import BusFace
from face_common import CONTAINER, EXEC, IMAGE, JOB, MANAGER, NAME, NETWORK, PROPERTIES, ROOT, VOLUME, FaceError, frames
from face_rest import RestFace

__all__ = ['CONTAINER', 'EXEC', 'IMAGE', 'JOB', 'MANAGER', 'NAME', 'NETWORK', 'PROPERTIES', 'ROOT', 'VOLUME', 'BusFace', 'FaceError', 'RestFace', 'frames']
