SELECT * FROM dunning.render('reminder-1', '{"given_name":"Kirsten","creditor_name":"Nordlys","amount":1240.5,"currency":"DKK","days_overdue":1,"pay_url":null}', 'da', 'sms');
