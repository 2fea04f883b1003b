"""The listeners: public for aggregators and providers, operator for those who run it."""
