-- The servers of the demo: one for mail, one for SMS, and the worklist for calls. psql variables: http, smtp (addresses of the catcher).
CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway
    OPTIONS (driver 'smtp', url :'smtp', "from" 'billing@nordlys.test', tls 'none', contract 'repeat');
CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway
    OPTIONS (driver 'http', preset 'generic-json', url :'http', "from" 'Nordlys', contract 'repeat');
CREATE SERVER calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE USER MAPPING FOR dunning_worker SERVER mail;
CREATE USER MAPPING FOR dunning_worker SERVER text;
CREATE USER MAPPING FOR dunning_worker SERVER calls;
