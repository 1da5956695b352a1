-- The SMS of the first reminder is to be friendlier, and to be seen as Anna Krogh would get it.
SET SESSION AUTHORIZATION manager;
-- task
SELECT * FROM dunning.save_template('reminder-1', 'sms', 'da', NULL,
    'Hej {{given_name}}, vi mangler {{amount | money}} fra dig. Allerede betalt? Se bort fra denne besked. Ring {{creditor_phone}} for en aftale.');
SELECT * FROM dunning.preview('reminder-1', '1003', channel => 'sms');
-- check
SELECT test.is_so('the new words, her name and her balance', p.body_text LIKE 'Hej Anna, vi mangler 95,00%+4570102030 for en aftale.' AND p.sms_parts = 1) FROM dunning.preview('reminder-1', '1003', channel => 'sms') p;
\set ON_ERROR_STOP 0
SELECT * FROM dunning.save_template('reminder-1', 'sms', 'da', NULL, 'Hej {{firstname}}');
\set ON_ERROR_STOP 1
SELECT test.is_so('a mistyped field is refused', :'LAST_ERROR_SQLSTATE' = 'DN003');
SELECT * FROM dunning.reset_template('reminder-1', 'sms', 'da');
SELECT test.is_so('the shipped text is back', p.body_text NOT LIKE 'Hej Anna, vi mangler%') FROM dunning.preview('reminder-1', '1003', channel => 'sms') p;
RESET SESSION AUTHORIZATION;
