CREATE UNLOGGED TABLE ours AS SELECT * FROM dunning.features(:'at');
