"""Flask plumbing: the session, who calls, refusals as problems, security headers. No business."""
