-- SPDX-License-Identifier: Apache-2.0
-- A small shop: for recipes that ask a database.
CREATE TABLE product (name TEXT PRIMARY KEY, category TEXT, price REAL, stock INTEGER);
CREATE TABLE customer (name TEXT PRIMARY KEY, city TEXT);
CREATE TABLE purchase (customer TEXT REFERENCES customer(name), product TEXT REFERENCES product(name),
                       amount INTEGER, day TEXT);
INSERT INTO product VALUES
  ('lamp', 'home', 24.5, 12), ('chair', 'home', 59.0, 4), ('kettle', 'kitchen', 31.0, 0),
  ('pan', 'kitchen', 27.5, 9), ('tent', 'outdoor', 120.0, 3), ('rope', 'outdoor', 8.25, 40);
INSERT INTO customer VALUES ('Ada', 'Graz'), ('Ben', 'Linz'), ('Cleo', 'Graz'), ('Dan', 'Wels');
INSERT INTO purchase VALUES
  ('Ada', 'lamp', 2, '2024-03-01'), ('Ada', 'tent', 1, '2024-03-05'), ('Ben', 'rope', 3, '2024-03-05'),
  ('Cleo', 'pan', 1, '2024-03-09'), ('Cleo', 'chair', 4, '2024-03-11'), ('Dan', 'rope', 1, '2024-03-12');
