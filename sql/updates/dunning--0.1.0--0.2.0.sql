\echo Use "ALTER EXTENSION dunning UPDATE TO '0.2.0'" to load this file. \quit
-- From 0.1.0 to 0.2.0: nothing in the catalog differs.
