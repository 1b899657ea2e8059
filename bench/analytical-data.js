/*
 * The tables and the 22 questions of TPC-H (https://www.tpc.org/tpch/), put in our own words; the data is made here. At scale 0.1
 * lineitem has 600,000 rows, all together 100 MB.
 */

const random = (seed, most) => `((hashint4(n + ${seed}) & 2147483647) % ${most})`
const oneOf = (seed, words) => `(array['${words.join("', '")}'])[1 + ${random(seed, words.length)}]`
const day = (seed) => `(date '1992-01-01' + ${random(seed, 2400)}::int)`

/** SQL texts that make and fill the tables. */
export function tables(scale) {
  const [suppliers, parts, customers, orders] = [10_000, 200_000, 150_000, 1_500_000].map((all) =>
    Math.round(all * scale),
  )
  const kinds = [
    ['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'],
    ['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'],
    ['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'],
  ]
  return [
    `create table region as select n as r_regionkey, (array['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[n + 1] as r_name from generate_series(0, 4) n`,
    `create table nation as select n as n_nationkey, (array['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA',
      'INDONESIA', 'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM', 'RUSSIA',
      'UNITED KINGDOM', 'UNITED STATES'])[n + 1] as n_name, n % 5 as n_regionkey from generate_series(0, 24) n`,
    `create table supplier as select n as s_suppkey, 'Supplier ' || n as s_name, md5(n::text) as s_address, ${random(1, 25)} as s_nationkey,
      ${random(2, 1_000_000)} / 100.0 as s_acctbal, case when n % 500 = 0 then 'Customer Complaints' else md5(n::text) end as s_comment
      from generate_series(1, ${suppliers}) n`,
    `create table customer as select n as c_custkey, 'Customer ' || n as c_name, ${random(3, 25)} as c_nationkey,
      (10 + ${random(3, 25)}) || '-' || n as c_phone, ${random(4, 1_100_000)} / 100.0 - 1000 as c_acctbal,
      ${oneOf(5, ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'])} as c_mktsegment, repeat(md5(n::text), 2) as c_comment
      from generate_series(1, ${customers}) n`,
    `create table part as select n as p_partkey, ${oneOf(6, ['almond', 'blue', 'forest', 'green', 'ivory', 'lemon'])} || ' ' || md5(n::text) as p_name,
      'Manufacturer#' || 1 + ${random(7, 5)} as p_mfgr, 'Brand#' || 11 + ${random(8, 45)} as p_brand,
      ${kinds.map((words, at) => oneOf(9 + at, words)).join(" || ' ' || ")} as p_type, 1 + ${random(12, 50)} as p_size,
      ${oneOf(13, ['SM CASE', 'MED BOX', 'LG JAR', 'JUMBO PKG', 'WRAP BAG'])} as p_container, 900 + n % 1000 as p_retailprice
      from generate_series(1, ${parts}) n`,
    `create table partsupp as select 1 + (n - 1) / 4 as ps_partkey, 1 + (n * 37 + n / 4) % ${suppliers} as ps_suppkey, ${random(14, 9999)} as ps_availqty,
      1 + ${random(15, 100_000)} / 100.0 as ps_supplycost from generate_series(1, ${parts * 4}) n`,
    `create table orders as select n as o_orderkey, 1 + ${random(16, customers)} as o_custkey, ${oneOf(17, ['F', 'O', 'P'])} as o_orderstatus,
      ${random(18, 40_000_000)} / 100.0 as o_totalprice, ${day(19)} as o_orderdate,
      ${oneOf(20, ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])} as o_orderpriority, 0 as o_shippriority,
      case when n % 90 = 0 then 'special requests' else md5(n::text) end as o_comment from generate_series(1, ${orders}) n`,
    `create table lineitem as select 1 + (n - 1) / 4 as l_orderkey, 1 + (n - 1) % 4 as l_linenumber, 1 + ${random(21, parts)} as l_partkey,
      1 + ${random(22, suppliers)} as l_suppkey, 1 + ${random(23, 50)} as l_quantity, ${random(24, 10_000_000)} / 100.0 as l_extendedprice,
      ${random(25, 11)} / 100.0 as l_discount, ${random(26, 9)} / 100.0 as l_tax, ${oneOf(27, ['A', 'N', 'R'])} as l_returnflag,
      ${oneOf(28, ['F', 'O'])} as l_linestatus, ${day(29)} as l_shipdate, ${day(29)} + ${random(30, 60)}::int as l_commitdate,
      ${day(29)} + 1 + ${random(31, 60)}::int as l_receiptdate, ${oneOf(32, ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])} as l_shipinstruct,
      ${oneOf(33, ['AIR', 'FOB', 'MAIL', 'RAIL', 'SHIP', 'TRUCK', 'REG AIR'])} as l_shipmode from generate_series(1, ${orders * 4}) n`,
    'alter table nation add primary key (n_nationkey)',
    'alter table supplier add primary key (s_suppkey)',
    'alter table customer add primary key (c_custkey)',
    'alter table part add primary key (p_partkey)',
    'alter table partsupp add primary key (ps_partkey, ps_suppkey)',
    'alter table orders add primary key (o_orderkey)',
    'alter table lineitem add primary key (l_orderkey, l_linenumber)',
    'create index lineitem_part on lineitem (l_partkey, l_suppkey)',
    'vacuum analyze',
  ]
}

/** Ten, of which some pay, some do not, and one is a smaller one beside the primary key. */
export const indexes = {
  lineitem_shipdate: ['lineitem', 'l_shipdate'],
  lineitem_suppkey: ['lineitem', 'l_suppkey'],
  lineitem_orderkey: ['lineitem', 'l_orderkey'],
  orders_custkey: ['orders', 'o_custkey'],
  orders_orderdate: ['orders', 'o_orderdate'],
  customer_nationkey: ['customer', 'c_nationkey'],
  customer_segment: ['customer', 'c_mktsegment'],
  supplier_nationkey: ['supplier', 's_nationkey'],
  partsupp_suppkey: ['partsupp', 'ps_suppkey'],
  part_size: ['part', 'p_size, p_type'],
}

const revenue = 'sum(l_extendedprice * (1 - l_discount))'

export const queries = [
  `select l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), ${revenue}, avg(l_discount), count(*) from lineitem
    where l_shipdate <= date '1998-04-01' group by 1, 2 order by 1, 2`,
  `select s_acctbal, s_name, n_name, p_partkey, p_mfgr from part, supplier, partsupp, nation, region
    where p_partkey = ps_partkey and s_suppkey = ps_suppkey and p_size = 15 and p_type like '%BRASS' and s_nationkey = n_nationkey
      and n_regionkey = r_regionkey and r_name = 'EUROPE' and ps_supplycost = (select min(ps_supplycost) from partsupp, supplier, nation, region
        where p_partkey = ps_partkey and s_suppkey = ps_suppkey and s_nationkey = n_nationkey and n_regionkey = r_regionkey and r_name = 'EUROPE')
    order by s_acctbal desc, n_name, s_name, p_partkey limit 100`,
  `select l_orderkey, ${revenue} as revenue, o_orderdate, o_shippriority from customer, orders, lineitem
    where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate < date '1992-03-15' and l_shipdate > date '1992-03-15'
    group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10`,
  `select o_orderpriority, count(*) from orders where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-08-01'
    and exists (select from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate) group by 1 order by 1`,
  `select n_name, ${revenue} as revenue from customer, orders, lineitem, supplier, nation, region
    where c_custkey = o_custkey and l_orderkey = o_orderkey and l_suppkey = s_suppkey and c_nationkey = s_nationkey and s_nationkey = n_nationkey
      and n_regionkey = r_regionkey and r_name = 'ASIA' and o_orderdate >= date '1994-01-01' and o_orderdate < date '1995-01-01' group by 1 order by 2 desc`,
  `select sum(l_extendedprice * l_discount) from lineitem where l_shipdate >= date '1994-01-01' and l_shipdate < date '1994-02-01'
    and l_discount between 0.05 and 0.07 and l_quantity < 24`,
  `select n1.n_name, n2.n_name, extract(year from l_shipdate), ${revenue} from supplier, lineitem, orders, customer, nation n1, nation n2
    where s_suppkey = l_suppkey and o_orderkey = l_orderkey and c_custkey = o_custkey and s_nationkey = n1.n_nationkey and c_nationkey = n2.n_nationkey
      and (n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY' or n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE')
      and l_shipdate between date '1995-01-01' and date '1996-12-31' group by 1, 2, 3 order by 1, 2, 3`,
  `select extract(year from o_orderdate), sum(case when n2.n_name = 'BRAZIL' then l_extendedprice * (1 - l_discount) else 0 end) / ${revenue}
    from part, supplier, lineitem, orders, customer, nation n1, nation n2, region where p_partkey = l_partkey and s_suppkey = l_suppkey
      and l_orderkey = o_orderkey and o_custkey = c_custkey and c_nationkey = n1.n_nationkey and n1.n_regionkey = r_regionkey and r_name = 'AMERICA'
      and s_nationkey = n2.n_nationkey and o_orderdate between date '1995-01-01' and date '1996-12-31' and p_type = 'ECONOMY ANODIZED STEEL' group by 1 order by 1`,
  `select n_name, extract(year from o_orderdate), sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity)
    from part, supplier, lineitem, partsupp, orders, nation where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey
      and p_partkey = l_partkey and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%' group by 1, 2 order by 1, 2 desc`,
  `select c_custkey, c_name, ${revenue} as revenue, c_acctbal, n_name from customer, orders, lineitem, nation
    where c_custkey = o_custkey and l_orderkey = o_orderkey and o_orderdate >= date '1993-10-01' and o_orderdate < date '1994-01-01'
      and l_returnflag = 'R' and c_nationkey = n_nationkey group by 1, 2, 4, 5 order by revenue desc limit 20`,
  `select ps_partkey, sum(ps_supplycost * ps_availqty) as value from partsupp, supplier, nation where ps_suppkey = s_suppkey and s_nationkey = n_nationkey
      and n_name = 'GERMANY' group by 1 having sum(ps_supplycost * ps_availqty) > (select sum(ps_supplycost * ps_availqty) * 0.0001
        from partsupp, supplier, nation where ps_suppkey = s_suppkey and s_nationkey = n_nationkey and n_name = 'GERMANY') order by 2 desc`,
  `select l_shipmode, sum(case when o_orderpriority in ('1-URGENT', '2-HIGH') then 1 else 0 end) from orders, lineitem where o_orderkey = l_orderkey
      and l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate and l_shipdate < l_commitdate and l_receiptdate >= date '1994-01-01'
      and l_receiptdate < date '1995-01-01' group by 1 order by 1`,
  `select c_count, count(*) from (select c_custkey, count(o_orderkey) as c_count from customer left join orders on c_custkey = o_custkey
      and o_comment not like '%special%requests%' group by 1) c group by 1 order by 2 desc, 1 desc`,
  `select 100.0 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end) / ${revenue} from lineitem, part
    where l_partkey = p_partkey and l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-10-01'`,
  `with revenue as materialized (select l_suppkey, ${revenue} as total from lineitem where l_shipdate >= date '1996-01-01'
      and l_shipdate < date '1996-04-01' group by 1)
    select s_suppkey, s_name, total from supplier, revenue where s_suppkey = l_suppkey and total = (select max(total) from revenue) order by 1`,
  `select p_brand, p_type, p_size, count(distinct ps_suppkey) from partsupp, part where p_partkey = ps_partkey and p_brand <> 'Brand#45'
      and p_type not like 'MEDIUM POLISHED%' and p_size in (3, 9, 14, 19, 23, 36, 45, 49)
      and ps_suppkey not in (select s_suppkey from supplier where s_comment like '%Customer%Complaints%') group by 1, 2, 3 order by 4 desc, 1, 2, 3`,
  `select sum(l_extendedprice) / 7.0 from lineitem, part where p_partkey = l_partkey and p_brand = 'Brand#23' and p_container = 'MED BOX'
      and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)`,
  `select c_name, c_custkey, o_orderkey, o_totalprice, sum(l_quantity) from customer, orders, lineitem
    where o_orderkey in (select l_orderkey from lineitem group by 1 having sum(l_quantity) > 190) and c_custkey = o_custkey and o_orderkey = l_orderkey
    group by 1, 2, 3, 4 order by 4 desc limit 100`,
  `select ${revenue} from lineitem, part where p_partkey = l_partkey and l_shipmode in ('AIR', 'REG AIR') and l_shipinstruct = 'DELIVER IN PERSON'
      and (p_brand = 'Brand#12' and p_container = 'SM CASE' and l_quantity between 1 and 11 and p_size between 1 and 5
        or p_brand = 'Brand#23' and p_container = 'MED BOX' and l_quantity between 10 and 20 and p_size between 1 and 10)`,
  `select s_name, s_address from supplier, nation where s_suppkey in (select ps_suppkey from partsupp where ps_partkey in
      (select p_partkey from part where p_name like 'forest%') and ps_availqty > (select 0.5 * sum(l_quantity) from lineitem
        where l_partkey = ps_partkey and l_suppkey = ps_suppkey and l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'))
      and s_nationkey = n_nationkey and n_name = 'CANADA' order by 1`,
  `select s_name, count(*) from supplier, lineitem l1, orders, nation where s_suppkey = l1.l_suppkey and o_orderkey = l1.l_orderkey and o_orderstatus = 'F'
      and l1.l_receiptdate > l1.l_commitdate and exists (select from lineitem l2 where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey)
      and not exists (select from lineitem l3 where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate)
      and s_nationkey = n_nationkey and n_name = 'SAUDI ARABIA' group by 1 order by 2 desc, 1 limit 100`,
  `select substring(c_phone from 1 for 2), count(*), sum(c_acctbal) from customer where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30')
      and c_acctbal > (select avg(c_acctbal) from customer where c_acctbal > 0) and not exists (select from orders where o_custkey = c_custkey)
    group by 1 order by 1`,
].map((sql, at) => ({ name: `q${at + 1}`, sql: sql.replaceAll(/\s+/g, ' ') }))
