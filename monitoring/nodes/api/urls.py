"""Addresses of the servers."""

from django.urls import URLPattern, path

from monitoring.nodes.api import nodes

urlpatterns: list[URLPattern] = [
    path("api/v1/nodes", nodes.NodesApi.as_view()),
    path("api/v1/nodes/<uuid:node_id>", nodes.NodeApi.as_view()),
    path("api/v1/nodes/<uuid:node_id>/bandwidth", nodes.NodeBandwidthApi.as_view()),
]
