"""Jobs, open and finished: lists, dead letters, keys, one job, and acting on many."""

from django.contrib import admin

from jobs.admin.bulk import BulkPages
from jobs.admin.job_list import JobLists
from jobs.admin.job_page import JobPages
from jobs.admin.keys import KeyPages
from jobs.models import JobRecord


@admin.register(JobRecord)
class JobRecordAdmin(JobLists, KeyPages, BulkPages, JobPages):
    """All the pages under one address; each part is a file of its own."""
