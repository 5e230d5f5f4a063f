"""The wizard as one file: how it is built, and what runs before it is unpacked."""
