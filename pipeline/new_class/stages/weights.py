"""Brings the network that the base model starts from, with its weights, from outside."""

from pipeline.new_class import outside
from pipeline.new_class.starting import Network


def main(network: Network) -> None:
    outside.start(network).save()
