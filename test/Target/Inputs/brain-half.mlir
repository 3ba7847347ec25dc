func.func @plain(%query: tensor<?x2x?x16xbf16>, %stream: tensor<?x2x?x16xbf16>,
                 %double: tensor<?x2x?x16xbf16>) -> tensor<?x2x?x16xf32> {
  %output = mta.attention %query, %stream, %double query_halo(3) {
  ^bb0(%s: tensor<?x2x?x?xf32>):
    %0 = mta.softmax %s : tensor<?x2x?x?xf32>
    mta.yield %0 : tensor<?x2x?x?xf32>
  } : tensor<?x2x?x16xbf16>, tensor<?x2x?x16xbf16>, tensor<?x2x?x16xbf16>
      -> tensor<?x2x?x16xf32>
  return %output : tensor<?x2x?x16xf32>
}
