-- The customer's rows, about a day: each table has rows just inside and just outside of both edges of the windows
-- of the pasted options. The expected files were written from this text.
insert into assets (id, asset_type_id, title, description, subtitle, external_id, duration, accurate_duration, live,
    live_broadcast_time, drm_protected, archive, views, vote_count, keywords, deleted, create_time, published_date,
    update_time, tenant) values
    (1, 10, 'Before midnight in Oslo', null, null, 'ext-1', 5400, 5400.250, false, null, true, false, 0, 0, null, false,
        '2018-01-09 14:56:13', '2018-01-10 00:00:00', '2018-09-08 21:59:59.999999', 'aurora'),
    (2, 10, 'He said "hi", twice', E'line one\nline two', '', null, null, null, false, null, false, false, 12, 3,
        'drama,"crime"', false, '1969-12-31 23:59:59', null, '2018-09-08 22:00:00', 'aurora'),
    (3, null, 'semi;colon', '', null, 'a|b', 0, 0.500, true, '2018-10-28 00:30:00', false, true, 9223372036854775807,
        -1, ' ', false, '2018-03-25 01:00:00', '2018-03-25 01:00:00', '2018-09-09 00:00:00', 'aurora'),
    (4, 11, E'it''s \\ back', E'a\r\nb\rc', E'tab\there', '007', 60, 60.000, false, null, false, false, 1, 0, '=1+1',
        false, '2016-02-29 12:00:00', null, '2018-09-09 21:59:59.999999', 'aurora'),
    (5, 11, ' blanks ', null, null, 'NULL', 1, 999999999.999, false, null, false, false, 0, 0, null, true,
        '0001-01-01 00:00:00', '9999-12-31 23:59:59', '2018-09-09 22:00:00', 'aurora'),
    (6, 12, 'Ærø – 日本 😀', null, null, null, -1, -0.001, false, null, false, false, 0, 0, '\N', false,
        '2018-09-09 23:59:59', null, '2018-09-09 23:59:59.999999', 'aurora'),
    (7, 12, 'Next day', null, null, null, null, null, false, null, false, false, 0, 0, null, false,
        '2018-09-10 00:00:00', null, '2018-09-10 00:00:00', 'aurora'),
    (1, 10, 'Of another tenant', null, null, null, null, null, false, null, false, false, 0, 0, null, false,
        '2018-09-09 12:00:00', null, '2018-09-09 12:00:00', 'borealis');

insert into assets_views (id, asset_id, category_id, user_id, subprofileid, platform, ip, geo_country, geo_isp, live,
    viewing_session, device_id, device_type, user_agent, duration, watched_seconds, registered, tenant, ingested_at)
select id, asset_id, 20, user_id, null, 'web', ip, 'NO', geo_isp, false, null, null, 'web', user_agent, 5400.25, id,
    registered, tenant, registered + interval '2 seconds'
from (values
    (101, 1, -1, '192.0.2.1', null, '', timestamp '2018-09-08 13:59:59.999999', 'aurora'),
    (102, 1, 900, '192.0.2.2', 'Altibox, AS', 'Mozilla/5.0 (X11; "Linux")', '2018-09-08 14:00:00', 'aurora'),
    (103, 2, -1, '2001:db8::1', null, 'it''s', '2018-09-08 21:59:59.999999', 'aurora'),
    (104, 2, -1, null, '', null, '2018-09-08 22:00:00', 'aurora'),
    (105, 3, 901, '192.0.2.5', E'a\tb', null, '2018-09-09 00:00:00', 'aurora'),
    (106, 3, -1, '192.0.2.6', null, E'two\nlines', '2018-09-09 22:00:00', 'aurora'),
    (107, 4, -1, '192.0.2.7', null, E'C:\\', '2018-09-10 13:59:59.999999', 'aurora'),
    (108, 4, -1, '192.0.2.8', null, null, '2018-09-10 14:00:00', 'aurora'),
    (105, 1, -1, '192.0.2.9', 'Of another tenant', null, '2018-09-09 12:00:00', 'borealis')
) as given (id, asset_id, user_id, ip, geo_isp, user_agent, registered, tenant);

insert into platforms (id, name, description, region, enabled, registered, last_updated) values
    (1, 'web', 'The "web"; all browsers', 'NO', true, '2010-01-01 00:00:00', '2018-09-01 08:30:00'),
    (2, 'mobile', null, '', false, '2012-06-30 23:59:59', '2018-09-01 08:30:00'),
    (3, 'tv', E'big\nscreen', null, true, '2015-02-28 12:00:00', '2018-09-01 08:30:00');

insert into vvs_pools (id, campaign_id, name, voucher_type, code_prefix, code_length, size, available_count,
    redeemed_count, start_date, expiry, created_at, updated_at, tenant) values
    ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '11111111-1111-4111-8111-111111111111', 'Autumn, "half price"', 'SINGLE',
        'X-', 8, 100, 99, 1, '2018-09-01 00:00:00+02', null, '2018-08-31 23:59:59+02',
        '2018-09-09 23:59:59.999999+02', 'aurora'),
    ('b0000000-0000-4000-8000-000000000002', '11111111-1111-4111-8111-111111111111', 'Next day in Oslo', 'MULTI', '',
        8, 1, 1, 0, '2018-10-28 02:30:00+02', '2018-10-28 02:30:00+01', '2018-09-10 00:00:00+02',
        '2018-09-10 00:00:00+02', 'aurora'),
    ('c0000000-0000-4000-8000-000000000003', '11111111-1111-4111-8111-111111111111', 'First of the day in Oslo',
        'MULTI', null, 0, 0, 0, 0, null, '2018-09-09 05:45:00+05:45', '2018-09-09 00:00:00+02',
        '2018-09-09 00:00:00+02', 'aurora');

insert into subtitles (id, asset_id, locale, name, type, content_type, uri, registered, last_updated, tenant) values
    (11, 1, 'swe', 'Svenska; text', 'NORMAL', 'text/vtt;charset="UTF-8"', 'https://cdn.example/11.vtt?a=1,2',
        '2018-09-08 21:00:00', '2018-09-08 21:59:59', 'aurora'),
    (12, 2, 'nor', 'Norsk', 'HEARING_IMPAIRED', 'text/vtt;charset=''UTF-8''', '', '2018-09-08 21:00:00',
        '2018-09-08 22:00:00', 'aurora'),
    (13, 4, 'eng', E'English\r\n(forced)', 'FORCED', 'application/ttml+xml', null, '2018-09-08 21:00:00',
        '2018-09-09 21:59:59', 'aurora'),
    (14, 5, 'dan', E'Dansk\\', 'NORMAL', 'text/vtt', 'C:\subs', '2018-09-08 21:00:00', '2018-09-09 22:00:00', 'aurora'),
    (15, 6, 'fin', 'Suomi', 'NORMAL', 'text/vtt', null, '2018-09-08 21:00:00', '2018-09-10 00:00:00', 'aurora');

insert into users_profiles (user_id, subprofileid, last_updated, tenant) values
    (900, 'p-1', '2018-09-09 12:00:00', 'aurora');
