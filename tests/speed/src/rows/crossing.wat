;; Two components in one: `taker` takes 4 MiB of bytes from `giver`, `times` times.
(component
  (component $giver
    (core module $module
      (memory (export "memory") 65)
      ;; The address and the length of the bytes, behind their place in memory.
      (func (export "give") (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 4194304))
        (i32.const 0)))
    (core instance $instance (instantiate $module))
    (func (export "give") (result (list u8))
      (canon lift (core func $instance "give") (memory $instance "memory"))))
  (component $taker
    (import "give" (func $give (result (list u8))))
    (core module $memory
      (memory (export "memory") 65)
      ;; Each time the same place.
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16)))
    (core instance $memory (instantiate $memory))
    (core func $give
      (canon lower (func $give) (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $module
      (import "" "give" (func $give (param i32)))
      (func (export "run") (param $times i32)
        (loop $again
          (call $give (i32.const 0))
          (local.set $times (i32.sub (local.get $times) (i32.const 1)))
          (br_if $again (local.get $times)))))
    (core instance $instance
      (instantiate $module (with "" (instance (export "give" (func $give))))))
    (func (export "run") (param "times" u32) (canon lift (core func $instance "run"))))
  (instance $giver (instantiate $giver))
  (instance $taker (instantiate $taker (with "give" (func $giver "give"))))
  (export "run" (func $taker "run")))
