"""The remote providers; each adapter in a folder of its own."""
