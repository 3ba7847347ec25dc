; A switch and 64-bit arithmetic from LLVM's code generator: an indexed branch.
; REQUIRES: numpy
;
; RUN: llc -mtriple=nvptx64-nvidia-cuda -mcpu=sm_80 -mattr=+ptx80 %s -o %t.ptx
; RUN: FileCheck %s < %t.ptx
; RUN: %run_case llvm-switch %t.ptx %t

; CHECK: brx.idx

define ptx_kernel void @choose(ptr addrspace(1) %out, i64 %factor) {
entry:
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %wide = zext i32 %tid to i64
  %product = mul i64 %wide, %factor
  switch i32 %tid, label %other [
    i32 0, label %zero
    i32 1, label %one
    i32 2, label %two
    i32 3, label %three
    i32 4, label %four
    i32 5, label %five
  ]
zero:
  br label %join
one:
  %a = add i64 %product, 100
  br label %join
two:
  %b = lshr i64 %product, 7
  br label %join
three:
  %c = call i64 @llvm.ctpop.i64(i64 %product)
  br label %join
four:
  %d = urem i64 %product, 1000003
  br label %join
five:
  %e = call i64 @llvm.fshl.i64(i64 %product, i64 %product, i64 21)
  br label %join
other:
  %f = sub i64 0, %product
  br label %join
join:
  %result = phi i64 [ 77, %zero ], [ %a, %one ], [ %b, %two ], [ %c, %three ], [ %d, %four ], [ %e, %five ], [ %f, %other ]
  %place = getelementptr i64, ptr addrspace(1) %out, i64 %wide
  store i64 %result, ptr addrspace(1) %place
  ret void
}

declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i64 @llvm.ctpop.i64(i64)
declare i64 @llvm.fshl.i64(i64, i64, i64)
